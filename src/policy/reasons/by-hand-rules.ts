import type { GrantRule } from '../grants.js';
import type { OverrideRule } from '../overrides.js';
import type { PolicyRule } from './policy-rule.js';

/** The rules that decide what a grant gives, and what an override does, by code. */
export const BY_HAND_RULES = {
  grant_holds: {
    title: 'A grant holds from its start up to its end',
    words: '{grant} was granted by {actor} on {issuedOn:day}: {reason}[. It holds until {endsAt}].',
    given: 'pro is granted by mira on 1 November until 11 November.',
    example:
      'gr_1 was granted by mira on 1 November 2026: a prize. It holds until 11 November 2026, 09:40 UTC.',
  },
  grant_to_come: {
    title: 'A grant gives nothing before its start',
    words: '{grant} was granted by {actor} on {issuedOn:day}: {reason}. It begins on {startsAt}.',
    given: 'pro is granted by mira on 1 November, from 6 November on.',
    example: 'gr_1 was granted by mira on 1 November 2026: a prize. It begins on 6 November 2026, 09:40 UTC.',
  },
  grant_ended: {
    title: 'A grant gives nothing from its end on',
    words: '{grant} was granted by {actor} on {issuedOn:day}: {reason}. It ended on {endsAt}.',
    given: 'pro is granted by mira on 1 November until 11 November.',
    example: 'gr_1 was granted by mira on 1 November 2026: a prize. It ended on 11 November 2026, 09:40 UTC.',
  },
  grant_revoked: {
    title: 'A grant that was revoked gives nothing',
    words:
      '{grant} of {issuedOn:day} was revoked by {revoked.actor} on {revoked.on:day}[: {revoked.reason}].',
    given: 'pro is granted on 1 November, and revoked on 3 November.',
    example: 'gr_1 of 1 November 2026 was revoked by ben on 3 November 2026: a mistake.',
  },
  grant_without_effect: {
    title: 'What the catalogue no longer has does nothing',
    words: '{grant} of {issuedOn:day} gives nothing: the catalogue does not have {missing} any more.',
    given: 'the plan gold is granted on 1 November, and then it leaves the catalogue.',
    example: 'gr_1 of 1 November 2026 gives nothing: the catalogue does not have plan:gold any more.',
  },
  override_feature_on: {
    title: 'A feature that was put on by hand',
    words: '{key} was put on by {actor} on {setOn:day}: {reason}.',
    given: 'nothing was bought, and export is put on by mira on 1 November.',
    example: 'export was put on by mira on 1 November 2026: as agreed.',
  },
  override_feature_off: {
    title: 'A feature that was put off by hand',
    words: '{key} was put off by {actor} on {setOn:day}: {reason}.',
    given: 'plus is bought, and export is put off by mira on 1 November.',
    example: 'export was put off by mira on 1 November 2026: as agreed.',
  },
  override_limit_value: {
    title: 'A limit that was set by hand',
    words:
      '{key} was set to {value} by {actor} on {setOn:day}: {reason}. Without that it would be {without}.',
    given: 'plus is bought, and members is set to 70 by mira on 1 November.',
    example: 'members was set to 70 by mira on 1 November 2026: as agreed. Without that it would be 500.',
  },
  override_limit_add: {
    title: 'A limit to which something was added by hand, or taken from it',
    words: '{key} is {limit}: {without}, and {add} by hand, of {actor} on {setOn:day}: {reason}.',
    given: 'plus is bought, and 20 are taken from members by mira on 1 November.',
    example: 'members is 480: 500, and -20 by hand, of mira on 1 November 2026: as agreed.',
  },
  override_ended: {
    title: 'An override does nothing from its end on',
    words: 'What {actor} set of {key} on {setOn:day} ended on {endsAt}.',
    given: 'members is set to 70 by mira on 1 November until 11 November.',
    example: 'What mira set of members on 1 November 2026 ended on 11 November 2026, 09:40 UTC.',
  },
  override_removed: {
    title: 'An override that was removed does nothing',
    words:
      'What {actor} set of {key} on {setOn:day} was removed by {removed.actor} on {removed.on:day}[: {removed.reason}].',
    given: 'members is set to 70 on 1 November, and that is removed on 3 November.',
    example: 'What mira set of members on 1 November 2026 was removed by ben on 3 November 2026: a mistake.',
  },
  override_without_effect: {
    title: 'An override of a key that the catalogue no longer has does nothing',
    words: 'What {actor} set of {key} on {setOn:day} does nothing: the catalogue does not have it any more.',
    given: 'the limit crates is set on 1 November, and then it leaves the catalogue.',
    example:
      'What mira set of crates on 1 November 2026 does nothing: the catalogue does not have it any more.',
  },
} as const satisfies Readonly<Record<GrantRule | OverrideRule, PolicyRule>>;
