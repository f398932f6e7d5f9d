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
const named = Object.entries<z.ZodType>(NAMED).map(([name, schema]) => ({
  name,
  schema: jsonSchema(schema),
}));
const nameByText = new Map(named.map(({ name, schema }) => [JSON.stringify(schema), name]));
/** Keys of the named schemas, in their order: what has others is none of them, and need not be made a text of. */
const keysOfNamed = new Set(named.map(({ schema }) => keysOf(schema)));

/**
 * The document with every schema that has a name among its components, a reference wherever it stood, and an example beside
 * each reference of a body; an example that a route gave itself stays.
 */
export function completeDocument(document: OpenAPIObject): OpenAPIObject {
  const referring = (value: unknown, itself: string | null): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const name = keysOfNamed.has(keysOf(value)) ? nameByText.get(JSON.stringify(value)) : undefined;
    if (name !== undefined && name !== itself) return { $ref: `${SCHEMAS}${name}` };
    if (Array.isArray(value)) return value.map((each) => referring(each, null));
    const entries = Object.entries(value).map(([key, each]) => [key, referring(each, null)]);
    return withExample(Object.fromEntries(entries));
  };
  const schemas = named.map(({ name, schema }) => [name, referring(schema, name)]);
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

function keysOf(value: object): string {
  return Object.keys(value).join();
}

/** A body of which the schema is a reference, with the example of that schema. */
function withExample(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const ref: unknown = Reflect.get(Object(value.schema), '$ref');
  if (typeof ref !== 'string' || !exampleByRef.has(ref)) return value;
  return { ...value, example: value.example ?? exampleByRef.get(ref) };
}
