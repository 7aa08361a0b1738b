# Stands in for nginx:1.29-alpine: Debian's nginx under the same user id, with the wget that its health check uses.
FROM localhost/goal-ledger-debian:bookworm
RUN groupadd --system --gid 101 web && useradd --system --uid 101 --gid 101 --home-dir /nonexistent web \
 && apt-get update && apt-get install -y --no-install-recommends nginx-light wget && rm -rf /var/lib/apt/lists/* \
 && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
