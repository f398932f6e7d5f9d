/** Asks for a key. Which one decides what can be seen and done; a key of scope `ops` alone sees no snapshots. */
export function SignIn({
  wasRefused,
  onKey,
}: {
  readonly wasRefused: boolean;
  readonly onKey: (key: string) => void;
}) {
  const enter = (form: FormData): void => {
    const key = form.get('key');
    if (typeof key === 'string' && key.trim() !== '') onKey(key.trim());
  };
  return (
    <main className="sign-in">
      <form className="panel" action={enter}>
        <h1>Tenure console</h1>
        <p>
          A key with the scopes <code>entitlements:read</code>, <code>audit</code> and <code>ops</code> shows
          everything. It stays in this tab and is forgotten with it.
        </p>
        <label htmlFor="key">Key</label>
        <input
          id="key"
          name="key"
          type="password"
          autoComplete="off"
          spellCheck={false}
          required
          aria-describedby={wasRefused ? 'refused' : undefined}
          aria-invalid={wasRefused}
        />
        {wasRefused && (
          <p id="refused" role="alert" className="problem">
            The service does not know this key.
          </p>
        )}
        <button type="submit">Open</button>
      </form>
    </main>
  );
}
