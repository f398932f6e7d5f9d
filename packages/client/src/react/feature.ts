import type { ReactNode } from 'react';
import { useFeature } from './hooks.js';

export interface FeatureProps {
  /** Key of the feature or limit. */
  readonly name: string;
  /** Shown until it is known whether the feature is allowed; nothing by default. */
  readonly loading?: ReactNode;
  /** Shown where the feature is not allowed; nothing by default. */
  readonly fallback?: ReactNode;
  readonly children?: ReactNode;
}

/** Shows its children to whoever has the feature. While that is not known, neither these nor the fallback. */
export function Feature({ name, loading = null, fallback = null, children }: FeatureProps): ReactNode {
  const { allowed, status } = useFeature(name);
  if (status === 'loading') return loading;
  return allowed ? children : fallback;
}
