import type { OwnerRule } from '../ownership.js';
import type { PolicyRule } from './policy-rule.js';

/** The rules that decide whose a subscription or purchase is (DESIGN 6), by code. */
export const OWNER_RULES = {
  owner_by_link: {
    title: 'What is linked by hand belongs to that user',
    words:
      '{subject} belongs to {owner}, to whom it was linked by hand[; what names {others} does not count].',
    given: 'sub_1, whose metadata names ann, is linked to bob.',
    example: 'sub_1 belongs to bob, to whom it was linked by hand; what names ann does not count.',
  },
  owner_by_metadata: {
    title: 'Its own metadata names the user, the newest that does',
    words:
      '{subject} belongs to {owner}: its own metadata says so since {saidOn:day}[; what names {others} does not count].',
    given: 'the metadata of sub_1 names ann, and from 4 November on bob.',
    example: 'sub_1 belongs to bob: its own metadata says so since 4 November 2026.',
  },
  owner_by_customer_link: {
    title: 'Its customer is linked by hand',
    words:
      '{subject} belongs to {owner}, to whom its customer {customer} was linked by hand[; what names {others} does not count].',
    given: 'sub_1 names nobody, and its customer is linked to bob.',
    example: 'sub_1 belongs to bob, to whom its customer cus_1 was linked by hand.',
  },
  owner_by_session: {
    title: 'The metadata of the checkout session names the user',
    words:
      '{subject} belongs to {owner}: the metadata of the checkout session {session} says so[; what names {others} does not count].',
    given:
      'sub_1 names nobody; the session that made it has metadata of ann, and the referral rob as its reference.',
    example:
      'sub_1 belongs to ann: the metadata of the checkout session cs_1 says so; what names rob does not count.',
  },
  owner_by_customer_metadata: {
    title: 'The metadata of its customer names the user',
    words:
      '{subject} belongs to {owner}: the metadata of its customer {customer} says so[; what names {others} does not count].',
    given:
      'sub_1 names nobody; the metadata of its customer names ann, and its session has the referral rob as its reference.',
    example:
      'sub_1 belongs to ann: the metadata of its customer cus_1 says so; what names rob does not count.',
  },
  owner_by_client_reference: {
    title: 'The checkout session names the user as its client_reference_id',
    words:
      '{subject} belongs to {owner}: the checkout session {session} names the user as its client_reference_id[; what names {others} does not count].',
    given: 'nothing but the client_reference_id of its session names a user of sub_1.',
    example: 'sub_1 belongs to ann: the checkout session cs_1 names the user as its client_reference_id.',
  },
  owner_by_customer: {
    title: 'What else its customer has names the user',
    words:
      '{subject} belongs to {owner}: another session or subscription of its customer {customer} said so[ on {saidOn:day}].',
    given: 'sub_1 names nobody, and another subscription of its customer names ann.',
    example:
      'sub_1 belongs to ann: another session or subscription of its customer cus_1 said so on 1 November 2026.',
  },
  owner_unknown: {
    title: 'Nothing names a user',
    words: '{subject} belongs to nobody: nothing that was seen of it names a user.',
    given: 'sub_1 names nobody, and the link to bob was taken back.',
    example: 'sub_1 belongs to nobody: nothing that was seen of it names a user.',
  },
} as const satisfies Readonly<Record<OwnerRule | 'owner_unknown', PolicyRule>>;
