# Stands in for apache/kafka:4.4.0: the same release's jars from Maven, the same variables as far as they are used.
FROM localhost/goal-ledger-debian:bookworm
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --home-dir /nonexistent appuser \
 && install -d -o appuser /var/lib/kafka/data /opt/kafka/config /opt/kafka/bin
COPY jars /opt/kafka/libs
COPY kafka-entrypoint.sh /opt/kafka/bin/start.sh
RUN printf '%s\n' '#!/bin/bash' 'exec 3<> /dev/tcp/localhost/9092' > /opt/kafka/bin/kafka-broker-api-versions.sh \
 && chmod 0755 /opt/kafka/bin/*.sh
VOLUME /var/lib/kafka/data
USER 1000
CMD ["/opt/kafka/bin/start.sh"]
