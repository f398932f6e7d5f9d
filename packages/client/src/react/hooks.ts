import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { TenureClient } from '../browser/client.js';
import { asTenureError, type TenureError } from '../browser/errors.js';
import type { Addon, Plan, Plans } from '../browser/plans.js';
import { type ClientState, type FeatureState, featureOf } from '../browser/state.js';
import { useTenure } from './provider.js';

export interface Entitlements extends ClientState {
  /** Asks the service now; what comes of it is in the state. */
  readonly refetch: () => Promise<void>;
}

export interface FeatureAnswer extends FeatureState {
  readonly refetch: () => Promise<void>;
}

export interface PlansAnswer {
  readonly status: 'loading' | 'live' | 'error';
  readonly plans: readonly Plan[];
  readonly addons: readonly Addon[];
  readonly error: TenureError | null;
  readonly refetch: () => Promise<void>;
}

/** What the user may do, as far as it is known, and how sure that is. */
export function useEntitlements(): Entitlements {
  const client = useTenure();
  const state = useClientState(client);
  const refetch = useRefetch(client);
  return useMemo(() => ({ ...state, refetch }), [state, refetch]);
}

/** Whether the user may use a feature, or any of a limited thing. For display: servers decide for themselves. */
export function useFeature(key: string): FeatureAnswer {
  const client = useTenure();
  const state = useClientState(client);
  const refetch = useRefetch(client);
  return useMemo(() => ({ ...featureOf(state, key), refetch }), [state, key, refetch]);
}

/** What can be bought. `given`, of the service's own `GET /v1/plans`, is shown without asking. */
export function usePlans(given?: Plans): PlansAnswer {
  const client = useTenure();
  const [asked, setAsked] = useState<Omit<PlansAnswer, 'refetch'>>(() => shown(given ?? null, null));
  const refetch = useCallback(async () => {
    try {
      setAsked(shown(await client.plans(), null));
    } catch (error) {
      setAsked(shown(null, asTenureError(error)));
    }
  }, [client]);
  useEffect(() => {
    if (given === undefined) void refetch();
  }, [given, refetch]);
  return useMemo(() => ({ ...asked, refetch }), [asked, refetch]);
}

function shown(plans: Plans | null, error: TenureError | null): Omit<PlansAnswer, 'refetch'> {
  const status = plans !== null ? 'live' : error !== null ? 'error' : 'loading';
  return { status, plans: plans?.plans ?? [], addons: plans?.addons ?? [], error };
}

function useClientState(client: TenureClient): ClientState {
  return useSyncExternalStore(client.subscribe, client.getState, client.getInitialState);
}

function useRefetch(client: TenureClient): () => Promise<void> {
  return useCallback(async () => {
    // What failed is in the state.
    await client.refetch().catch(() => undefined);
  }, [client]);
}
