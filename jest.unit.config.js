import { unit } from './jest.config.js';

/** `npm run test:unit`: what needs no store and no process of its own, without the setup of the whole run. */
export default { ...unit, testTimeout: 300_000, maxWorkers: 2, workerGracefulExitTimeout: 10_000 };
