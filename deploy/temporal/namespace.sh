#!/bin/sh
# Makes the namespace and the search attributes that Surefoot needs. Changes nothing when run again.
set -eu
: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}"

# As long as an idempotency key of a completed run is remembered: 30 days.
RETENTION=720h
ATTRIBUTES="Tenant Session Profile Status Waiting Kind Subject Severity State"

# By its number: the command line cannot resolve a name everywhere.
host=$(getent ahosts "${TEMPORAL_ADDRESS%:*}" | awk '/STREAM/ { print $1; exit }')
export TEMPORAL_ADDRESS="${host:?cannot resolve $TEMPORAL_ADDRESS}:${TEMPORAL_ADDRESS##*:}"

tries=30
try() { # a command, until it succeeds: the server needs some seconds to know of what was just made
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || exit 1
    sleep 2
  done
}

try temporal operator cluster health
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"

for name in $ATTRIBUTES; do
  set -- "$@" --name "$name" --type Keyword # a name without its own type is passed over
done
try temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" "$@"
