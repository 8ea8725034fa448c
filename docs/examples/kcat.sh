#!/usr/bin/env bash
# Publishes CloudEvents, one JSON object a line on standard input, with kcat. Usage: kcat.sh 127.0.0.1:9092 TOPIC < events.jsonl
# The key is the event's subject; murmur2_random puts a person where Java and lidm put them. kcat's default would not.
set -euo pipefail
broker=$1 topic=$2
sed -E 's/^.*"subject": ?"(p_[0-9a-f]{32})".*$/\1\t&/' |
  kcat -P -b "$broker" -t "$topic" -K $'\t' -X topic.partitioner=murmur2_random -X acks=all -X enable.idempotence=true
