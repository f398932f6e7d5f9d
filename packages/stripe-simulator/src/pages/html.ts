/** Text that is safe in HTML, between tags and in quoted attributes. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** An amount as a buyer reads it, such as `10.00 USD`. Currencies without cents are rare enough to be left alone here. */
export function money(amount: number, currency: string): string {
  return `${(amount / 100).toFixed(2)} ${currency.toUpperCase()}`;
}

/** A whole page around what stands in it, which is HTML. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 30rem; margin: 3rem auto; padding: 0 1rem; color: #1a1f36 }
  table { width: 100%; border-collapse: collapse; margin: 1rem 0 }
  td { padding: .3rem 0; border-bottom: 1px solid #e3e8ee } td:last-child { text-align: right }
  label { display: block; margin: .8rem 0 } input, select { width: 100%; font: inherit; padding: .5rem; box-sizing: border-box }
  button { font: inherit; width: 100%; padding: .7rem; margin: .3rem 0; border: 0; border-radius: .4rem; background: #0a2540; color: #fff }
  button.quiet { background: #e3e8ee; color: #1a1f36 } [role=alert] { color: #b3093c } small { color: #687385 }
</style>
<body>
<small>Stripe simulator: nothing is charged</small>
${body}
</body>
</html>
`;
}
