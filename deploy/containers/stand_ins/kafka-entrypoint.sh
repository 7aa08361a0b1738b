#!/bin/bash
# As the official image: KAFKA_X_Y becomes the property x.y, the log directory is formatted once, then the broker runs.
set -euo pipefail
properties=/opt/kafka/config/server.properties
env | grep '^KAFKA_' | grep -v '^KAFKA_HEAP_OPTS=' | while IFS='=' read -r name value; do
  echo "$(echo "${name#KAFKA_}" | tr 'A-Z_' 'a-z.')=$value"
done > "$properties"
run=(java -Xmx"${KAFKA_HEAP_MB:-256}m" -XX:+UseSerialGC -cp '/opt/kafka/libs/*')
"${run[@]}" kafka.tools.StorageTool format --ignore-formatted -c "$properties" -t "${CLUSTER_ID:-4L6g3nShT-eMCtK--X86sw}"
exec "${run[@]}" kafka.Kafka "$properties"
