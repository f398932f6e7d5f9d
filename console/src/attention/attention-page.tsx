import type { ReactNode } from 'react';
import { useClient } from '../api/client.js';
import type {
  Conflicts,
  DeadLetters,
  Faults,
  FraudWarnings,
  PendingPayments,
  UnjoinedPayments,
  Unlinked,
  UnmappedPrices,
} from '../api/types.js';
import { useAnswer } from '../api/use-answer.js';
import { ActionForm } from '../parts/action-form.js';
import { Panel, Shown, Table, Time, UserLink } from '../parts/parts.js';

/** What ops may have to mend, each list with its remedy. */
export function AttentionPage() {
  return (
    <>
      <h1>Attention</h1>
      <FaultsPanel />
      <UnlinkedPanel />
      <ConflictsPanel />
      <PricesPanel />
      <PendingPanel />
      <UnjoinedPanel />
      <FraudPanel />
      <DeadLettersPanel />
    </>
  );
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

interface ListProps<Item> {
  readonly title: string;
  readonly remedy: string;
  readonly columns: readonly string[];
  readonly path: string;
  readonly row: (item: Item, reload: () => void) => ReactNode;
}

function List<Item>({ title, remedy, columns, path, row }: ListProps<Item>) {
  const answer = useAnswer<Page<Item>>(`${path}?limit=100`, 15_000);
  const count =
    answer.body === null ? '' : `${answer.body.items.length}${answer.body.next === null ? '' : '+'}`;
  return (
    <Panel title={title} aside={<span className="faint">{count}</span>}>
      <Shown answer={answer}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="faint">Nothing.</p>
          ) : (
            <>
              <p className="note">{remedy}</p>
              <Table caption={title} columns={columns}>
                {items.map((item) => row(item, answer.reload))}
              </Table>
            </>
          )
        }
      </Shown>
    </Panel>
  );
}

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

function FaultsPanel() {
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

function UnlinkedPanel() {
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

function ConflictsPanel() {
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

function PricesPanel() {
  return (
    <List<UnmappedPrices['items'][number]>
      title="Unmapped prices"
      remedy="People pay for them and no plan names them. Name each in plans.yaml under its plan, then run `tenure plans publish`."
      columns={['Price', 'Users it gives nothing', 'Users it counts for as a plan', 'First user']}
      path="/v1/ops/unmapped-prices"
      row={(item) => (
        <tr key={item.price}>
          <td>
            <code>{item.price}</code>
          </td>
          <td>{item.users}</td>
          <td>
            {item.adopted.users} {item.adopted.plans.length > 0 && `(${item.adopted.plans.join(', ')})`}
          </td>
          <td>
            <UserLink userId={item.example} />
          </td>
        </tr>
      )}
    />
  );
}

function PendingPanel() {
  return (
    <List<PendingPayments['items'][number]>
      title="Pending payments"
      remedy="They asked for more and have not paid it yet. Nothing is wrong where the invoice is open; the reason says what is awaited."
      columns={['User', 'Waits for', 'Since', 'Reason', 'Invoice']}
      path="/v1/ops/pending-payments"
      row={(item) => (
        <tr key={item.userId}>
          <td>
            <UserLink userId={item.userId} />
          </td>
          <td>{item.plan}</td>
          <td>
            <Time at={item.since} />
          </td>
          <td>{item.reason.replaceAll('_', ' ')}</td>
          <td>{item.invoice !== null && <code>{item.invoice}</code>}</td>
        </tr>
      )}
    />
  );
}

function UnjoinedPanel() {
  return (
    <List<UnjoinedPayments['items'][number]>
      title="Unjoined payments"
      remedy="Refunds and disputes of payments that no known invoice or checkout is of: they take nothing. A reconciliation asks Stripe for what is missing."
      columns={['Payment', 'Since', 'Disputes', 'Refunded']}
      path="/v1/ops/unjoined-payments"
      row={(item) => (
        <tr key={item.payment}>
          <td>
            <code>{item.payment}</code>
          </td>
          <td>
            <Time at={item.since} />
          </td>
          <td>
            {item.disputes.map(({ status, amount, currency }) => money(amount, currency, status)).join(', ')}
          </td>
          <td>{item.refunded !== null && money(item.refunded.amount, item.refunded.currency, '')}</td>
        </tr>
      )}
    />
  );
}

function FraudPanel() {
  return (
    <List<FraudWarnings['items'][number]>
      title="Fraud warnings"
      remedy="A card's issuer calls these payments fraud. They take nothing; refund what is fraud before it becomes a dispute."
      columns={['Payment', 'Kind', 'Since', 'Users']}
      path="/v1/ops/fraud-warnings"
      row={(item) => (
        <tr key={item.warning}>
          <td>
            <code>{item.payment}</code>
          </td>
          <td>{item.fraudType}</td>
          <td>
            <Time at={item.at} />
          </td>
          <td>
            {item.users.map((userId) => (
              <span key={userId}>
                <UserLink userId={userId} />{' '}
              </span>
            ))}
          </td>
        </tr>
      )}
    />
  );
}

function DeadLettersPanel() {
  const client = useClient();
  const answer = useAnswer<DeadLetters>('/v1/ops/dead-letters?limit=100', 15_000);
  return (
    <Panel title="Dead letters">
      <Shown answer={answer}>
        {({ deadLetters }) =>
          deadLetters.length === 0 ? (
            <p className="faint">Nothing.</p>
          ) : (
            <>
              <p className="note">Messages that no receiver took. Mend the receiver, then try each again.</p>
              <Table
                caption="Dead letters"
                columns={['Reaction', 'For', 'Tries', 'Failure', 'Since', 'Actions']}
              >
                {deadLetters.map((letter) => (
                  <tr key={letter.id}>
                    <td>{letter.reaction}</td>
                    <td>
                      <code>{letter.group}</code>
                    </td>
                    <td>{letter.attempts}</td>
                    <td>{letter.failure}</td>
                    <td>
                      <Time at={letter.deadAt} />
                    </td>
                    <td>
                      <ActionForm
                        name="Try again"
                        fields={[]}
                        onSend={async () => {
                          await client.send('POST', `/v1/ops/dead-letters/${letter.id}/replay`);
                          answer.reload();
                        }}
                      />
                    </td>
                  </tr>
                ))}
              </Table>
            </>
          )
        }
      </Shown>
    </Panel>
  );
}

/** An amount of minor units as Stripe gives it; which currencies have none is Stripe's to know. */
function money(amount: number | null, currency: string | null, status: string): string {
  return [amount === null ? '' : `${amount} ${currency ?? ''}`, status.replaceAll('_', ' ')].join(' ').trim();
}
