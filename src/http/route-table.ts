import type { OpenAPIObject } from '@nestjs/swagger';

/** Methods by path, to tell a path that does not exist from a method that it does not have. */
export class RouteTable {
  private readonly routes: readonly { readonly pattern: RegExp; readonly methods: readonly string[] }[];

  /** @param routes methods in upper case by path template, such as `/v1/users/{userId}/entitlements` */
  constructor(routes: ReadonlyMap<string, readonly string[]>) {
    this.routes = [...routes].map(([template, methods]) => ({ pattern: patternOf(template), methods }));
  }

  /** The table of a documented API and of what is served beside it. */
  static of(document: OpenAPIObject, others: ReadonlyMap<string, readonly string[]>): RouteTable {
    const documented = Object.entries(document.paths).map(([path, item]): [string, readonly string[]] => [
      path,
      Object.keys(item).map((name) => name.toUpperCase()),
    ]);
    return new RouteTable(new Map([...documented, ...others]));
  }

  /** Methods of whatever is at `path` (no query), sorted; none when nothing is there. */
  methodsAt(path: string): readonly string[] {
    const methods = new Set(this.routes.flatMap((route) => (route.pattern.test(path) ? route.methods : [])));
    if (methods.has('GET')) methods.add('HEAD');
    return [...methods].sort();
  }
}

/** Match as Express does it: in any case, with or without a slash at the end. A last parameter `path` is any number of segments. */
function patternOf(template: string): RegExp {
  const parts = template.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^$()|[\]\\]/g, '\\$&'));
  const last = template.endsWith('{path}') ? parts.pop() : undefined;
  const segments = parts.join('[^/]+');
  return new RegExp(`^${segments}${last === undefined ? '' : '.+'}/?$`, 'i');
}
