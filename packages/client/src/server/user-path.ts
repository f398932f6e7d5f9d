/**
 * The path of a user below `/v1`. @throws RangeError for an id that a URL would take for a step up or down, and for none: no user
 * has one
 */
export function userPath(userId: string): string {
  if (userId === '' || userId === '.' || userId === '..') throw new RangeError('This is no id of a user');
  return `/v1/users/${encodeURIComponent(userId)}`;
}
