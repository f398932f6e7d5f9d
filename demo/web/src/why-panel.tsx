import { useEffect, useState } from 'react';
import type { WhyEntry } from '../why.js';

const MOST_ENTRIES = 20;

/** Each entry of the audit as it comes, with its reasons: what the application's own server reads with a key for auditors. */
export function WhyPanel() {
  const [entries, setEntries] = useState<readonly WhyEntry[]>([]);
  const [isCut, setCut] = useState(false);
  const isSeen = useIsSeen();
  useEffect(() => {
    if (!isSeen) return;
    const source = new EventSource('/api/why');
    source.onopen = () => setCut(false);
    source.onerror = () => setCut(true);
    source.onmessage = ({ data }) => {
      const entry = JSON.parse(data) as WhyEntry;
      // A stream that was cut tells the last entries anew.
      setEntries((known) =>
        known.some(({ id }) => id === entry.id) ? known : [entry, ...known].slice(0, MOST_ENTRIES),
      );
    };
    return () => source.close();
  }, [isSeen]);
  return (
    <section className="card" aria-labelledby="why">
      <h2 id="why">Why</h2>
      {isCut && <p className="faint">The audit cannot be read just now. It is tried again.</p>}
      {entries.length === 0 && <p className="faint">Nothing has happened yet: everyone begins on free.</p>}
      <ol className="why" aria-live="polite">
        {entries.map((entry) => (
          <li key={entry.id}>
            <p>
              <time dateTime={entry.from}>{new Date(entry.from).toLocaleTimeString()}</time>{' '}
              <strong>{entry.plan}</strong> ({entry.status.replaceAll('_', ' ')}) by {entry.cause}
            </p>
            {entry.words.map((words) => (
              <p key={words} className="faint">
                {words}
              </p>
            ))}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Whether this tab is looked at: over HTTP/1.1 a browser has six connections to an application, and tabs behind need none. */
function useIsSeen(): boolean {
  const [isSeen, setSeen] = useState(!document.hidden);
  useEffect(() => {
    const look = (): void => setSeen(!document.hidden);
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  return isSeen;
}
