# syntax=docker/dockerfile:1
# Builds the three processes of the scaled-out profile: the targets `api`, `worker` and `simulator`. They share every
# layer and differ only in their command. Build in the root of the repository:
# docker build -f infra/nightshift.Dockerfile --target api .

FROM node:24-bookworm-slim AS build
WORKDIR /nightshift
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci
RUN npx tsc -b apps/api apps/worker apps/simulator
# Keeps only what the three processes need: removes the command line with its Postgres, the tools and the sources.
RUN rm -rf apps/cli packages/local-postgres packages/testing \
  && npm pkg delete devDependencies --workspaces --include-workspace-root \
  && npm prune \
  && rm -rf apps/*/src apps/*/test packages/*/src packages/*/test

FROM node:24-bookworm-slim AS runtime
ENV NODE_ENV=production HOST=0.0.0.0 NIGHTSHIFT_DATA_DIR=/data
# A new volume gets its owner from this folder when it is mounted for the first time.
RUN install -d -o node -g node /data
WORKDIR /nightshift
COPY --from=build /nightshift/package.json ./
COPY --from=build /nightshift/node_modules node_modules
COPY --from=build /nightshift/packages packages
COPY --from=build /nightshift/apps apps
USER node

FROM runtime AS simulator
EXPOSE 8090
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8090/v1/models').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/simulator/dist/main.js"]

FROM runtime AS worker
EXPOSE 8081
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8081/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/worker/dist/main.js"]

FROM runtime AS api
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/api/dist/main.js"]
