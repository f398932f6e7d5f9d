import { z } from 'zod';

/** Schemas of what is asked for by name here; the translation reads the rest by shape. */
export const listSchema = z.looseObject({
  data: z.array(z.looseObject({ id: z.string() })),
  has_more: z.boolean(),
});
export type List = z.infer<typeof listSchema>;
/** A page of a list as version 1 of the API has it, or version 2 (Stripe: "API v2 overview", pagination). */
export const pageSchema = listSchema.or(
  z
    .looseObject({ data: listSchema.shape.data, next_page_url: z.string().nullable() })
    .transform(({ next_page_url, ...page }) => ({ ...page, has_more: next_page_url !== null })),
);
export const objectSchema = z.looseObject({ id: z.string() });
export const subscriptionSchema = objectSchema.extend({ items: listSchema });
export const checkoutSchema = objectSchema.extend({ line_items: listSchema.optional() });
export const invoiceSchema = objectSchema.extend({ lines: listSchema });
/** What the SDK puts beside a body when it comes through `fetch`. */
export const answerSchema = z.object({ lastResponse: z.object({ headers: z.instanceof(Headers) }) });
