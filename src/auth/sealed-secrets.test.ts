import { SealedSecrets, SecretUnreadableError } from './sealed-secrets.js';

const OLD = 'an admin key of at least 32 characters';
const NEW = 'another admin key of 32 characters or more';

describe('A sealed secret', () => {
  it('opens for what it was sealed for, and says nothing of itself', () => {
    const secrets = new SealedSecrets([OLD]);
    const sealed = secrets.seal('whsec_x', 'endpoint 1');
    expect(sealed).not.toContain('whsec');
    expect(secrets.seal('whsec_x', 'endpoint 1')).not.toBe(sealed);
    expect(secrets.open(sealed, 'endpoint 1')).toBe('whsec_x');
    expect(() => secrets.open(sealed, 'endpoint 2')).toThrow(SecretUnreadableError);
  });

  it('opens by any of the admin keys, and by no other', () => {
    const sealed = new SealedSecrets([OLD]).seal('ü', 'x');
    expect(new SealedSecrets([NEW, OLD]).open(sealed, 'x')).toBe('ü');
    expect(() => new SealedSecrets([NEW]).open(sealed, 'x')).toThrow(SecretUnreadableError);
  });

  it('is sealed anew by the first of the admin keys, once', () => {
    const sealed = new SealedSecrets([OLD]).seal('secret', 'x');
    const anew = new SealedSecrets([NEW, OLD]).sealAnew(sealed, 'x') ?? '';
    expect(new SealedSecrets([NEW]).open(anew, 'x')).toBe('secret');
    expect(new SealedSecrets([NEW, OLD]).sealAnew(anew, 'x')).toBeNull();
    expect(() => new SealedSecrets([NEW]).sealAnew(sealed, 'x')).toThrow(SecretUnreadableError);
  });

  it.each(['', 'v1.', 'v1.AAAA', 'v2.x'])('does not open where it is %p', (text) => {
    expect(() => new SealedSecrets([OLD]).open(text, 'x')).toThrow(SecretUnreadableError);
  });

  it('does not open when a bit of it is another', () => {
    const secrets = new SealedSecrets([OLD]);
    const sealed = secrets.seal('secret', 'x');
    const bytes = Buffer.from(sealed.slice(3), 'base64url');
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    expect(() => secrets.open(`v1.${bytes.toString('base64url')}`, 'x')).toThrow(SecretUnreadableError);
  });
});
