import { useState } from 'react';
import type { Users } from '../api/types.js';
import { useAnswer } from '../api/use-answer.js';
import { Badge, Panel, Shown, Table, Time, UserLink } from '../parts/parts.js';
import { addressOf } from '../router.js';

/** The statuses that users have, in the order of the list; the compiler asks for one that is missing. */
const LISTED: Readonly<Record<Users['items'][number]['status'], true>> = {
  active: true,
  trialing: true,
  past_due: true,
  granted: true,
  unpaid: true,
  paused: true,
  canceled: true,
  unknown: true,
  none: true,
};
const STATUSES = ['', ...Object.keys(LISTED)];

/** Finds a user by id, or among all of a status. */
export function FindUserPage() {
  const [status, setStatus] = useState('');
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const query = new URLSearchParams({ limit: '50' });
  if (status !== '') query.set('status', status);
  const cursor = cursors.at(-1);
  if (cursor !== undefined) query.set('cursor', cursor);
  const answer = useAnswer<Users>(`/v1/users?${query}`);
  const open = (form: FormData): void => {
    const userId = String(form.get('userId') ?? '').trim();
    if (userId !== '') location.hash = addressOf({ page: 'user', userId });
  };
  return (
    <>
      <h1>Users</h1>
      <form className="row" action={open}>
        <div className="grow">
          <label htmlFor="user-id">User id</label>
          <input id="user-id" name="userId" required autoComplete="off" spellCheck={false} />
        </div>
        <button type="submit">Show</button>
      </form>
      <Panel
        title="All users"
        aside={
          <label>
            Status{' '}
            <select
              value={status}
              onChange={({ target }) => {
                setStatus(target.value);
                setCursors([]);
              }}
            >
              {STATUSES.map((each) => (
                <option key={each} value={each}>
                  {each === '' ? 'any' : each}
                </option>
              ))}
            </select>
          </label>
        }
      >
        <Shown answer={answer}>
          {({ items, next }) => (
            <>
              {items.length === 0 ? (
                <p className="faint">Nobody.</p>
              ) : (
                <Table caption="Users" columns={['User', 'Plan', 'Status', 'Role', 'Version', 'Changed']}>
                  {items.map((user) => (
                    <tr key={user.userId}>
                      <td>
                        <UserLink userId={user.userId} />
                      </td>
                      <td>{user.plan}</td>
                      <td>
                        <Badge word={user.status} />
                        {user.faulted !== undefined && <Badge word="faulted" />}
                      </td>
                      <td>{user.role}</td>
                      <td>{user.revocationVersion}</td>
                      <td>
                        <Time at={user.changedAt} />
                      </td>
                    </tr>
                  ))}
                </Table>
              )}
              <div className="buttons">
                {cursors.length > 0 && (
                  <button type="button" className="quiet" onClick={() => setCursors(cursors.slice(0, -1))}>
                    Back
                  </button>
                )}
                {next !== null && (
                  <button type="button" className="quiet" onClick={() => setCursors([...cursors, next])}>
                    More
                  </button>
                )}
              </div>
            </>
          )}
        </Shown>
      </Panel>
    </>
  );
}
