import fc from 'fast-check';
import pg from 'pg';
import { arrayColumn } from './statement-values.js';

/** Of `text[]`, as PostgreSQL numbers its types. */
const TEXT_ARRAY: number = 1009;
const read = pg.types.getTypeParser(TEXT_ARRAY);

describe('The literal of an array', () => {
  it('is read as the values it was made of, whatever is in their texts', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('', 'NULL', '"', '\\', '\\"', ',', '{a,"b"}', '\n', 'é\u{1f600}'),
    );
    const value = fc.option(fc.oneof(text, fc.integer(), fc.boolean()));
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const literal = arrayColumn(values, (each) => each);
        expect(read(literal)).toEqual(values.map((each) => (each === null ? null : String(each))));
      }),
    );
  });
});
