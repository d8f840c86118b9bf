# Portico's image: one program with the libraries that it needs, and nothing else.
#
#     docker build -t portico .
#
# `make image` makes the same without a registry, from this machine's libraries; it reads the last stage below.
FROM debian:12-slim AS build
WORKDIR /src
COPY . .
RUN script/bootstrap image && make -j"$(nproc)" && tools/image root /image

FROM scratch
COPY --from=build /image/ /
COPY --from=build --chown=65532:65532 /image/var/lib/portico /var/lib/portico
LABEL org.opencontainers.image.title="Portico"
LABEL org.opencontainers.image.description="A reverse proxy that containers announce themselves to"
LABEL org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/usr/local/bin:/usr/bin
ENV PORTICO_DATA=/var/lib/portico
# It starts as root, since the engine's socket and older volumes belong to root, and goes on as this user at once.
ENV PORTICO_USER=65532:65532
EXPOSE 80 443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s CMD ["/usr/bin/portico", "healthcheck", "--process", "1"]
ENTRYPOINT ["/usr/bin/portico"]
CMD ["run"]
