import type { OpenAPIObject } from '@nestjs/swagger';
import type { z } from 'zod';
import { jsonSchema } from '../http/describe.js';
import { problemExamples } from '../http/problem-examples.js';
import { NAMED } from './named-schemas.js';
import { EXAMPLES } from './schema-examples.js';

const SCHEMAS = '#/components/schemas/';
const exampleByRef: ReadonlyMap<string, unknown> = new Map(
  Object.entries(EXAMPLES).map(([name, example]) => [`${SCHEMAS}${name}`, example]),
);

/**
 * The document with every schema that has a name among its components, a reference wherever it stood, and an example beside
 * each reference of a body; an example that a route gave itself stays.
 */
export function completeDocument(document: OpenAPIObject): OpenAPIObject {
  const named = Object.entries<z.ZodType>(NAMED);
  const byText = new Map(named.map(([name, schema]) => [JSON.stringify(jsonSchema(schema)), name]));
  const referring = (value: unknown, itself: string | null): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const name = byText.get(JSON.stringify(value));
    if (name !== undefined && name !== itself) return { $ref: `${SCHEMAS}${name}` };
    if (Array.isArray(value)) return value.map((each) => referring(each, null));
    const entries = Object.entries(value).map(([key, each]) => [key, referring(each, null)]);
    return withExample(Object.fromEntries(entries));
  };
  const schemas = named.map(([name, schema]) => [name, referring(jsonSchema(schema), name)]);
  const { paths, components, ...others } = document;
  return {
    ...others,
    paths: referring(paths, null) as OpenAPIObject['paths'],
    components: {
      ...components,
      schemas: { ...components?.schemas, ...Object.fromEntries(schemas) },
      examples: problemExamples(paths),
    },
  };
}

/** A body of which the schema is a reference, with the example of that schema. */
function withExample(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const ref: unknown = Reflect.get(Object(value.schema), '$ref');
  if (typeof ref !== 'string' || !exampleByRef.has(ref)) return value;
  return { ...value, example: value.example ?? exampleByRef.get(ref) };
}
