import { createContext, createElement, type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import { type ClientOptions, createTenureClient, type TenureClient } from '../browser/client.js';

/** Either a client of the application's own, or what one is made of. */
export type TenureProviderProps = { readonly children?: ReactNode } & (
  | { readonly client: TenureClient }
  | ({ readonly client?: undefined } & ClientOptions)
);

const Context = createContext<TenureClient | null>(null);
const NOBODY_LISTENS = () => {};

/**
 * Gives the hooks below it their client and follows the user while it is mounted. With `initial`, the snapshot that a server
 * put into the page, the first paint is the right one. Another `userId` is another user: what was known of the one before is
 * dropped, in all tabs.
 */
export function TenureProvider(props: TenureProviderProps): ReactNode {
  const { children } = props;
  return props.client === undefined
    ? createElement(OwnClient, { options: props, children })
    : createElement(Followed, { client: props.client, children });
}

/** The client of the nearest `TenureProvider`. @throws Error where there is none */
export function useTenure(): TenureClient {
  const client = useContext(Context);
  if (client === null) throw new Error('There is no TenureProvider above this component.');
  return client;
}

function Followed({ client, children }: { readonly client: TenureClient; readonly children: ReactNode }) {
  useEffect(() => client.subscribe(NOBODY_LISTENS), [client]);
  return createElement(Context.Provider, { value: client }, children);
}

function OwnClient({ options, children }: { readonly options: ClientOptions; readonly children: ReactNode }) {
  const { baseUrl, userId } = options;
  const latest = useRef(options);
  const make = () => {
    const { token, onAccessChanged, ...rest } = options;
    const client = createTenureClient({
      ...rest,
      ...(token === undefined ? {} : { token: () => (latest.current.token ?? token)() }),
      onAccessChanged: (change) => latest.current.onAccessChanged?.(change),
    });
    return { client, baseUrl, userId };
  };
  const [made, setMade] = useState(make);
  const isOfAnother = made.baseUrl !== baseUrl || made.userId !== userId;
  if (isOfAnother) setMade(make());
  useEffect(() => {
    latest.current = options;
  });
  const before = useRef(made);
  useEffect(() => {
    const { client, userId: was } = before.current;
    if (before.current !== made && was !== undefined && was !== made.userId) client.signOut();
    before.current = made;
  }, [made]);
  return createElement(Followed, { client: made.client, children });
}
