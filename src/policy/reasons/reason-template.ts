/** A fact that stands in words: its path, and `day` where the day is enough of a time. */
const PLACE = /\{([\w.]+)(?::(day))?\}/g;
/** Words that are left out where a fact in them is not known. */
const OPTIONAL = /\[([^[\]]*)\]/g;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/**
 * Words with facts in their places: `{path.of.fact}`, a time with its day alone as `{fact:day}`; what stands in `[ ]` is left
 * out where a fact in it is null or not there. @throws where words outside of `[ ]` name a fact that is not there
 */
export function inWords(template: string, facts: object): string {
  const optional = template.replace(OPTIONAL, (_, words: string) =>
    [...words.matchAll(PLACE)].every(([, path = '']) => factAt(facts, path) !== null) ? words : '',
  );
  return optional.replace(PLACE, (_, path: string, precision: string | undefined) => {
    const fact = factAt(facts, path);
    if (fact === null) throw new Error(`words need the fact ${path}`);
    return toText(fact, precision === 'day');
  });
}

function factAt(facts: object, path: string): unknown {
  let found: unknown = facts;
  for (const name of path.split('.')) {
    found = typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined;
  }
  return found ?? null;
}

function toText(fact: unknown, dayAlone: boolean): string {
  if (Array.isArray(fact)) return fact.map((each) => toText(each, dayAlone)).join(', ');
  if (typeof fact !== 'string' || !TIME.test(fact)) return String(fact);
  const time = new Date(fact);
  const day = `${time.getUTCDate()} ${MONTHS[time.getUTCMonth()]} ${time.getUTCFullYear()}`;
  return dayAlone ? day : `${day}, ${fact.slice(11, 16)} UTC`;
}
