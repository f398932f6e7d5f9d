import { BY_HAND_RULES } from './by-hand-rules.js';
import { OWNER_RULES } from './owner-rules.js';
import { PURCHASE_RULES } from './purchase-rules.js';
import { READING_RULES } from './reading-rules.js';
import { RETURNED_RULES } from './returned-rules.js';
import { POLICY_RULES } from './rules.js';
import { SNAPSHOT_RULES } from './snapshot-rules.js';
import { SUBSCRIPTION_RULES } from './subscription-rules.js';

const HEAD = `# Reasons

Every rule of the access policy (\`DESIGN.md\` 8) that decides something says so with its code: in the \`reasons\` of
\`?explain=true\` and of \`tenure users explain\`. Codes are stable; words may become better ones. This page is made from the
table that the code uses (\`src/policy/reasons/\`) by \`npm run docs:policy\`. Each example is a test
(\`src/policy/reasons/reasons.test.ts\`); in all of them the default plan is \`free\`, and \`plus\` ranks below \`team\` and \`pro\`.
`;

/** The text of docs/POLICY.md: an entry for each rule, with its example. */
export function policyDocument(): string {
  return [
    HEAD,
    '## What one subscription gives\n',
    entries(Object.keys(SUBSCRIPTION_RULES)),
    '## What its items are read as\n',
    entries(Object.keys(READING_RULES)),
    '## Whose a subscription or purchase is\n',
    entries(Object.keys(OWNER_RULES)),
    '## What becomes of an invoice whose money is asked back\n',
    entries(Object.keys(RETURNED_RULES)),
    '## What one purchase gives\n',
    entries(Object.keys(PURCHASE_RULES)),
    '## What is given and set by hand\n',
    entries(Object.keys(BY_HAND_RULES)),
    '## What all of it comes to\n',
    entries(Object.keys(SNAPSHOT_RULES)),
  ].join('\n');
}

function entries(codes: readonly string[]): string {
  const all = Object.entries(POLICY_RULES).filter(([code]) => codes.includes(code));
  return all
    .map(
      ([code, { title, given, example }]) => `### ${code}\n\n${title}. Example: ${given}\n\n> ${example}\n`,
    )
    .join('\n');
}
