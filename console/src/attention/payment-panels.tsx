import type { FraudWarnings, PendingPayments, UnjoinedPayments } from '../api/types.js';
import { Time, UserLink } from '../parts/parts.js';
import { List } from './attention-list.js';

/** Upgrades that wait for their payment. */
export function PendingPanel() {
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

/** Refunds and disputes that are of nothing known. */
export function UnjoinedPanel() {
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

/** Payments that a card's issuer calls fraud. */
export function FraudPanel() {
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

/** An amount of minor units as Stripe gives it; which currencies have none is Stripe's to know. */
function money(amount: number | null, currency: string | null, status: string): string {
  return [amount === null ? '' : `${amount} ${currency ?? ''}`, status.replaceAll('_', ' ')].join(' ').trim();
}
