import type { ErasedClaims, MissingPseudonyms } from '../api/types.js';
import { useAnswer } from '../api/use-answer.js';
import { Time } from '../parts/parts.js';
import { List } from './attention-list.js';

/** The lists of a service that keeps user ids as pseudonyms; of any other there is nothing to show. */
export function PseudonymPanels() {
  const { body } = useAnswer<ErasedClaims>('/v1/ops/erased-claims?limit=1', 60_000);
  if (body?.userIds !== 'pseudonyms') return null;
  return (
    <>
      <ErasedClaimsPanel />
      <MissingPseudonymsPanel />
    </>
  );
}

function ErasedClaimsPanel() {
  return (
    <List<ErasedClaims['items'][number]>
      title="Claims for erased users"
      remedy="Stripe still names users for them who are erased, so they are nobody’s. Delete them, or the user id in their metadata, at Stripe; what somebody else bought is linked under Unlinked."
      columns={['Object', 'Times', 'First', 'Last']}
      path="/v1/ops/erased-claims"
      row={({ object, times, firstAt, lastAt }) => (
        <tr key={object}>
          <td>
            <code>{object}</code>
          </td>
          <td>{times}</td>
          <td>
            <Time at={firstAt} />
          </td>
          <td>
            <Time at={lastAt} />
          </td>
        </tr>
      )}
    />
  );
}

function MissingPseudonymsPanel() {
  return (
    <List<MissingPseudonyms['items'][number]>
      title="Missing pseudonyms"
      remedy="The user ids of these were lost without an erasure, so what they have cannot be asked for. Bring the table tenure.pseudonym back from a backup."
      columns={['Pseudonym']}
      path="/v1/ops/missing-pseudonyms"
      row={({ pseudonym }) => (
        <tr key={pseudonym}>
          <td>
            <code>{pseudonym}</code>
          </td>
        </tr>
      )}
    />
  );
}
