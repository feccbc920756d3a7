"""Workers in processes of their own, woken by messages of a broker; the truth about tasks stays in the library."""
