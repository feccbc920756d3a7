#!/bin/sh
# secrets.sh [FOLDER]: makes the secrets of compose.yaml and of the manifests for Kubernetes; keeps those that there are.
set -eu
folder=${1:-secrets}
umask 077
mkdir -p -- "$folder"
cd -- "$folder"
# also one that there was
chmod 700 .

make() {
    [ ! -d "$1" ] || { echo "secrets.sh: $1 is a folder: give the secret in a file of that name" >&2; exit 1; }
    # the folder is closed to other users; containers, whose user is another one, get the files alone
    [ -s "$1" ] || { cat > "$1.new" && chmod 644 "$1.new" && mv "$1.new" "$1"; }
}

# where a password goes, in an address and in rabbitmq.conf, other characters mean something else
plain() {
    case $(cat "$1") in *[!A-Za-z0-9._~-]*)
        secret=$1 && shift
        echo "secrets.sh: $secret may have letters, digits and . _ ~ - only; for another password write $* yourself" >&2
        exit 1 ;;
    esac
}

random() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

random | make keys
random | make postgres_password
if [ ! -s rabbitmq_password ] && [ -s rabbitmq.conf ]; then
    echo "secrets.sh: rabbitmq_password is gone, and rabbitmq.conf holds the old one: delete rabbitmq.conf, broker_url and keda_broker_url, too" >&2
    exit 1
fi
random | make rabbitmq_password
{ [ -s rabbitmq.conf ] && [ -s broker_url ] && [ -s keda_broker_url ]; } \
    || plain rabbitmq_password rabbitmq.conf, broker_url and keda_broker_url
[ -s database_url ] || plain postgres_password database_url
printf 'default_user = textclf\ndefault_pass = %s\n' "$(cat rabbitmq_password)" | make rabbitmq.conf
printf 'amqp://textclf:%s@broker:5672' "$(cat rabbitmq_password)" | make broker_url
# KEDA asks from its own namespace, where the short name means nothing
printf 'amqp://textclf:%s@broker.textclf.svc:5672' "$(cat rabbitmq_password)" | make keda_broker_url
# of clients of the server of Amazon ML, in the format of ~/.aws/credentials
printf '[textclf]\naws_access_key_id = AKID%s\naws_secret_access_key = %s\n' "$(random | cut -c1-16)" "$(random)" | make credentials
printf 'postgresql+psycopg://textclf:%s@database:5432/textclf' "$(cat postgres_password)" | make database_url
