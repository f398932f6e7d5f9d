import { useClient } from '../api/client.js';
import type { Faults } from '../api/types.js';
import { ActionForm } from '../parts/action-form.js';
import { Time, UserLink } from '../parts/parts.js';
import { List } from './attention-list.js';

/** Events that could not be applied. */
export function FaultsPanel() {
  const client = useClient();
  const projection = '/v1/ops/projections/entitlements';
  return (
    <List<Faults['items'][number]>
      title="Events set aside"
      remedy="Everyone else goes on. Deploy code that can apply the event and resume, or skip it for good where it tells nothing."
      columns={['What', 'Event', 'Fault', 'Since', 'Whom it concerns', 'Actions']}
      path="/v1/ops/faults"
      row={(item, reload) => (
        <tr key={`${item.kind} ${item.id}`}>
          <td>
            {item.kind} <code>{item.id}</code>
          </td>
          <td>
            {item.type} at {item.position}
          </td>
          <td>
            {item.message} <code>{item.code}</code>
          </td>
          <td>
            <Time at={item.since} />
          </td>
          <td>
            {item.kind === 'user' ? (
              <UserLink userId={item.id} />
            ) : (
              item.users.map((userId) => (
                <span key={userId}>
                  <UserLink userId={userId} />{' '}
                </span>
              ))
            )}
          </td>
          <td>
            <ActionForm
              name="Resume"
              fields={[]}
              onSend={async () => {
                await client.send('POST', `${projection}/resume`, {});
                reload();
              }}
            >
              <p>Everything that is set aside is tried again.</p>
            </ActionForm>
            {item.kind === 'stream' && (
              <ActionForm
                name="Skip the event"
                fields={[{ name: 'reason', label: 'Why; kept for good' }]}
                onSend={async ({ reason }) => {
                  await client.send('POST', `${projection}/skip`, { position: item.position, reason });
                  reload();
                }}
              >
                <p>It is never applied, in no rebuild either.</p>
              </ActionForm>
            )}
          </td>
        </tr>
      )}
    />
  );
}
