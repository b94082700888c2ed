/** HTML of headlight's own server, all of whose texts from data are escaped there. */
export function ServerHtml({ html, class: name }: { readonly html: string; readonly class?: string }) {
  return <div class={name} dangerouslySetInnerHTML={{ __html: html }} />
}
