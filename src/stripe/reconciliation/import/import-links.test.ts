import { InvalidLinksError, importLinks } from './import-links.js';

describe('A file of links', () => {
  it('is read line by line, with or without a heading, a byte order mark, quotes and blank lines', () => {
    const text = '\uFEFFcustomer,user\r\ncus_1,ann\r\n\r\ncus_2, "b,o""b" \n';
    expect(importLinks(text)).toEqual([
      { customer: 'cus_1', userId: 'ann' },
      { customer: 'cus_2', userId: 'b,o"b' },
    ]);
    expect(importLinks('cus_1,ann')).toEqual([{ customer: 'cus_1', userId: 'ann' }]);
  });

  it('is refused with every fault and its line', () => {
    const text = 'cus_1,ann\ncus_1,bob\nnothing\ncus 2,x\ncus_3,\ncus_4,"x';
    const refused = (): unknown => importLinks(text);
    expect(refused).toThrow(InvalidLinksError);
    expect(refused).toThrow(
      [
        'line 2: cus_1 was named before',
        'line 3: is not customer,user',
        'line 4: is not customer,user',
        'line 5: the user id is not valid',
        'line 6: the user id is not valid',
      ].join('\n'),
    );
  });
});
