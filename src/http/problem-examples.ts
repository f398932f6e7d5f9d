import { PROBLEMS, type ProblemCode, ProblemError, problemBody } from './problem.js';

const REQUEST_ID = '0b8f7a52-1c0e-4f0a-9d57-6f3f0f2f1c11';

const EXAMPLES = '#/components/examples/';

type References = Record<string, { readonly $ref: string }>;
type Examples = Record<string, { readonly summary: string; readonly value: unknown }>;

/** The problems of a reply as OpenAPI names its examples: each a reference to its component. */
export function problemReferences(codes: readonly ProblemCode[]): References {
  return Object.fromEntries(codes.map((code) => [code, { $ref: `${EXAMPLES}${code}` }]));
}

/** An example of every problem that `paths` refer to, by code, as components of the OpenAPI document. */
export function problemExamples(paths: unknown): Examples {
  const text = JSON.stringify(paths);
  const codes = (Object.keys(PROBLEMS) as ProblemCode[]).filter((code) =>
    text.includes(`"${EXAMPLES}${code}"`),
  );
  return Object.fromEntries(
    codes.map((code) => {
      const { title } = PROBLEMS[code];
      return [code, { summary: title, value: problemBody(new ProblemError(code, `${title}.`), REQUEST_ID) }];
    }),
  );
}
