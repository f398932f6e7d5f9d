import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { policyDocument } from '../../src/policy/reasons/policy-document.js';

/** `npm run docs:policy`: writes docs/POLICY.md anew. */
writeFileSync(fileURLToPath(new URL('../../docs/POLICY.md', import.meta.url)), policyDocument());
