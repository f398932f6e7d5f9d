import { RouteTable } from './route-table.js';

describe('The route table', () => {
  const table = new RouteTable(
    new Map([
      ['/v1/users/{userId}/entitlements', ['GET']],
      ['/v1/customers/{id}/link', ['PUT', 'DELETE']],
      ['/openapi.json', ['GET']],
    ]),
  );

  it.each([
    ['/v1/users/u1/entitlements', ['GET', 'HEAD']],
    ['/V1/users/u1/Entitlements/', ['GET', 'HEAD']],
    ['/v1/customers/cus_1/link', ['DELETE', 'PUT']],
    ['/openapi.json', ['GET', 'HEAD']],
    ['/openapiXjson', []],
    ['/v1/users//entitlements', []],
    ['/v1/users/a/b/entitlements', []],
    ['/v1/users/u1', []],
    ['/x/v1/customers/cus_1/link', []],
  ])('knows what is at %s', (path, methods) => {
    expect(table.methodsAt(path)).toEqual(methods);
  });
});
