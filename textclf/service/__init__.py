"""Classification over HTTP: one process that reads uploads in its workers, predicts, and keeps what is for review."""
