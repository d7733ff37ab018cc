# One image for every role: `docker run IMAGE operator/main.ts`, `api/main.ts`, `runner/main.ts`, `webhooks/main.ts`,
# `store/main.ts migrate`. The sources run as they are; there is no build step.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The Docker-less build of the test cluster mounts what npm would install, made where npm and its configuration are.
RUN if [ -d /production ]; then cp -a /production/node_modules .; else npm ci --omit=dev --ignore-scripts; fi

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
# .dockerignore names the folders that are taken.
COPY . .
USER 10001:10001
ENTRYPOINT ["node"]
