import { PricingTable, type ShownPlan } from '../../../packages/client/src/react/index.js';

/** Under which this tab remembers what it went to pay for. */
export const CHOSEN = 'chosen-plan';

/** The plans, each with what leads to Stripe's page of it. */
export function Plans() {
  const here = `${location.origin}${location.pathname}`;
  return (
    <section className="card" aria-labelledby="plans">
      <h2 id="plans">Plans</h2>
      <div className="plans">
        <PricingTable successUrl={`${here}?bought=yes`} cancelUrl={here} locale="en-US">
          {(shown) => <PlanOffer shown={shown} />}
        </PricingTable>
      </div>
    </section>
  );
}

function PlanOffer({ shown: { plan, amount, isCurrent, isBusy, choose } }: { readonly shown: ShownPlan }) {
  const buy = (): void => {
    sessionStorage.setItem(CHOSEN, plan.plan);
    choose();
  };
  return (
    <>
      <h3>{plan.plan}</h3>
      <p className="price">
        {amount ?? '…'}
        {!plan.isDefault && <span className="faint"> a month</span>}
      </p>
      <p>{plan.features.join(', ')}</p>
      {isCurrent ? (
        <p className="badge">Your plan</p>
      ) : (
        !plan.isDefault && (
          <button type="button" disabled={isBusy} onClick={buy}>
            Get {plan.plan}
          </button>
        )
      )}
    </>
  );
}
