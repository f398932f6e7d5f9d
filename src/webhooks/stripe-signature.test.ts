import { createHmac } from 'node:crypto';
import { StripeSignature } from './stripe-signature.js';

const SECRET = 'whsec_one';
const NOW = 1_700_000_000;
const BODY = '{"id":"evt_1","note":"ünïcode"}';

function sign(body: string, secret: string, timestamp: number | string): string {
  const mac = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return `t=${timestamp},v1=${mac}`;
}

describe('The signature of a delivery', () => {
  const signature = new StripeSignature([SECRET, 'whsec_two'], () => NOW * 1000 + 999);

  it.each([
    ['the first secret', sign(BODY, SECRET, NOW)],
    ['the second secret, during a rotation', sign(BODY, 'whsec_two', NOW)],
    ['another scheme beside', `${sign(BODY, SECRET, NOW)},v0=00`],
    ['a second v1 beside', `${sign(BODY, SECRET, NOW)},v1=00`],
    [
      '19 others and an empty one beside',
      `v1=,${`v1=${'0'.repeat(64)},`.repeat(19)}${sign(BODY, SECRET, NOW)}`,
    ],
    ['300 seconds of age', sign(BODY, SECRET, NOW - 300)],
    ['300 seconds ahead', sign(BODY, SECRET, NOW + 300)],
  ])('is accepted with %s', (_, header) => {
    expect(signature.isValid(BODY, header)).toBe(true);
  });

  it.each([
    ['no header', undefined],
    ['an empty header', ''],
    ['nonsense', 'nonsense'],
    ['a foreign secret', sign(BODY, 'whsec_three', NOW)],
    ['another body', sign(`${BODY} `, SECRET, NOW)],
    ['301 seconds of age', sign(BODY, SECRET, NOW - 301)],
    ['301 seconds ahead', sign(BODY, SECRET, NOW + 301)],
    ['no timestamp', `v1=${createHmac('sha256', SECRET).update(BODY).digest('hex')}`],
    ['a timestamp that is no number', sign(BODY, SECRET, 'NaN')],
    ['only an unknown scheme', sign(BODY, SECRET, NOW).replace('v1', 'v0')],
    ['a fresh timestamp before the signed old one', `t=${NOW},${sign(BODY, SECRET, NOW - 9_999)}`],
    ['a fresh timestamp after the signed old one', `${sign(BODY, SECRET, NOW - 9_999)},t=${NOW}`],
    ['a signature cut short', sign(BODY, SECRET, NOW).slice(0, -2)],
    ['an empty signature', `t=${NOW},v1=`],
    ['a signature of nothing', `t=${NOW},v1=${'0'.repeat(64)}`],
    [
      '2,000 signatures, the good one among them',
      `${sign(BODY, SECRET, NOW)}${`,v1=${'0'.repeat(64)}`.repeat(2_000)}`,
    ],
    [
      '21 signatures, the good one among them',
      `${sign(BODY, SECRET, NOW)}${`,v1=${'0'.repeat(64)}`.repeat(20)}`,
    ],
    ['a header longer than any of Stripe', `${sign(BODY, SECRET, NOW)},v0=${'0'.repeat(4_096)}`],
  ])('is refused with %s', (_, header) => {
    expect(signature.isValid(BODY, header)).toBe(false);
  });

  it('is refused for an empty body', () => {
    expect(signature.isValid('', sign('', SECRET, NOW))).toBe(false);
  });
});
