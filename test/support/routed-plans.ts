import { PLANS } from './service.js';

/** The plan file of the tests with routes of an application. */
export const ROUTED_PLANS = `${PLANS}routes:
  - { methods: [GET, HEAD], path: /api/reports/*, feature: reports }
  - { methods: [GET, POST], path: /api/exports, feature: export }
  - { methods: [GET], path: /api/v2/*, feature: api }
`;
