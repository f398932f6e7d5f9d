import { useClient } from '../api/client.js';
import type { Conflicts, Unlinked } from '../api/types.js';
import { ActionForm } from '../parts/action-form.js';
import { UserLink } from '../parts/parts.js';
import { List } from './attention-list.js';

function LinkForm({
  kind,
  id,
  onDone,
}: {
  readonly kind: Unlinked['items'][number]['kind'];
  readonly id: string;
  readonly onDone: () => void;
}) {
  const client = useClient();
  const link = async ({ userId = '', reason }: Readonly<Record<string, string>>): Promise<void> => {
    await client.sendFor(userId, 'PUT', `/v1/${kind}s/${encodeURIComponent(id)}/link`, { userId, reason });
    onDone();
  };
  const fields = [
    { name: 'userId', label: 'User id' },
    { name: 'reason', label: 'Why; kept for good' },
  ];
  return <ActionForm name="Link to a user" fields={fields} onSend={link} />;
}

/** What belongs to nobody yet. */
export function UnlinkedPanel() {
  return (
    <List<Unlinked['items'][number]>
      title="Unlinked"
      remedy="They belong to nobody yet: no metadata named a user. Link each to the user who bought it."
      columns={['What', 'Id', 'Customer', 'Actions']}
      path="/v1/ops/unlinked"
      row={(item, reload) => (
        <tr key={item.kind + item.id}>
          <td>{item.kind}</td>
          <td>
            <code>{item.id}</code>
          </td>
          <td>{item.customer !== null && <code>{item.customer}</code>}</td>
          <td>
            <LinkForm kind={item.kind} id={item.id} onDone={reload} />
          </td>
        </tr>
      )}
    />
  );
}

/** What facts say is also somebody else's. */
export function ConflictsPanel() {
  return (
    <List<Conflicts['items'][number]>
      title="Conflicts"
      remedy="Facts name another user than the owner. The owner keeps it until you link it to somebody else."
      columns={['What', 'Id', 'Owner', 'Also named', 'Actions']}
      path="/v1/ops/conflicts"
      row={(item, reload) => (
        <tr key={item.kind + item.id}>
          <td>{item.kind}</td>
          <td>
            <code>{item.id}</code>
          </td>
          <td>
            <UserLink userId={item.owner} />
          </td>
          <td>
            {item.claims.map(({ userId, eventId }) => (
              <span key={eventId}>
                <UserLink userId={userId} /> (<code>{eventId}</code>){' '}
              </span>
            ))}
          </td>
          <td>
            <LinkForm kind={item.kind} id={item.id} onDone={reload} />
          </td>
        </tr>
      )}
    />
  );
}
