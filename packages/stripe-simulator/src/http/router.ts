import type { z } from 'zod';
import { read } from '../params.js';

export type Method = 'GET' | 'POST' | 'DELETE';

/** A request to one route: `path` holds what the pattern names, `params` the query or the form or the JSON body. */
export interface Call {
  readonly path: Readonly<Record<string, string>>;
  readonly params: unknown;
}

type Handler = (call: Call) => object;

interface Node {
  readonly children: Map<string, Node>;
  /** What stands for any one part of a path. */
  named: { readonly name: string; readonly node: Node } | null;
  readonly handlers: Map<Method, Handler>;
}

/** Routes by method and path; a pattern such as `/v1/customers/:id` names parts of the path. */
export class Router {
  readonly #root = node();
  /** Every route, as `GET /v1/customers/:id`. */
  readonly patterns: string[] = [];

  /** Adds a route whose parameters are read by `schema` before the handler sees them. */
  on<Schema extends z.ZodType, Pattern extends string>(
    method: Method,
    pattern: Pattern,
    schema: Schema,
    handle: (params: z.output<Schema>, path: PathOf<Pattern>) => object,
  ): void {
    this.patterns.push(`${method} ${pattern}`);
    let at = this.#root;
    for (const part of pattern.split('/').slice(1)) {
      if (part.startsWith(':')) {
        at.named ??= { name: part.slice(1), node: node() };
        at = at.named.node;
      } else {
        const next = at.children.get(part) ?? node();
        at.children.set(part, next);
        at = next;
      }
    }
    at.handlers.set(method, ({ params, path }) => handle(read(schema, params), path as PathOf<Pattern>));
  }

  /** What answers, and what the path says; `null` when there is no such route. */
  find(
    method: string,
    path: string,
  ): { readonly handle: Handler; readonly path: Record<string, string> } | null {
    let at = this.#root;
    const named: Record<string, string> = {};
    for (const part of path.split('/').slice(1)) {
      const next = at.children.get(part);
      if (next !== undefined) at = next;
      else if (at.named !== null && part !== '') {
        named[at.named.name] = decodeURIComponent(part);
        at = at.named.node;
      } else return null;
    }
    const handle = at.handlers.get(method as Method);
    return handle === undefined ? null : { handle, path: named };
  }
}

/** `{ id: string }` for `/v1/customers/:id/sources`. */
export type PathOf<Pattern extends string> = Pattern extends `${string}:${infer Name}/${infer Rest}`
  ? { readonly [Key in Name]: string } & PathOf<`/${Rest}`>
  : Pattern extends `${string}:${infer Name}`
    ? { readonly [Key in Name]: string }
    : unknown;

function node(): Node {
  return { children: new Map(), named: null, handlers: new Map() };
}
