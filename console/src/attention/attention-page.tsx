import type { UnmappedPrices } from '../api/types.js';
import { UserLink } from '../parts/parts.js';
import { List } from './attention-list.js';
import { DeadLettersPanel } from './dead-letters-panel.js';
import { FaultsPanel } from './faults-panel.js';
import { ConflictsPanel, UnlinkedPanel } from './owner-panels.js';
import { FraudPanel, PendingPanel, UnjoinedPanel } from './payment-panels.js';
import { PseudonymPanels } from './pseudonym-panels.js';

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
      <PseudonymPanels />
      <DeadLettersPanel />
    </>
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
