import { createHash } from 'node:crypto'
import { escapeHtml } from './escaping.ts'

/** A part of a page, which its list of sections leads to. */
export interface PageSection {
  readonly id: string
  readonly name: string
  /** Empty: the section is left out. */
  readonly html: string
}

export interface HtmlPage {
  /** The command that made it. */
  readonly command: string
  readonly title: string
  /** Below the title, HTML. */
  readonly under: string
  /** Below the list of sections, HTML: what is to be seen first. */
  readonly first: string
  readonly sections: readonly PageSection[]
  readonly headlightVersion: string
  readonly style: string
  /** Absent: the page has none, and allows none. */
  readonly script?: string
  /** At the end of the body, before the script: HTML. */
  readonly last?: string
}

/**
 * A whole page as one HTML text: style, script, pictures and data inside. Its content security policy allows only these,
 * so that no text from a dataset could run or fetch anything even if the escaping failed.
 */
export function htmlPage({ title, style, script, last, ...page }: HtmlPage): string {
  const policy = [
    "default-src 'none'",
    'img-src data:',
    `style-src '${sha256(style)}'`,
    ...(script === undefined ? [] : [`script-src '${sha256(script)}'`]),
    "base-uri 'none'",
    "form-action 'none'",
  ]
  const sections = page.sections.filter(({ html }) => html !== '')
  const end = [...(last === undefined ? [] : [last]), ...(script === undefined ? [] : [`<script>${script}</script>`])]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>headlight: ${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="kicker">headlight ${page.command}</p>
<h1>${escapeHtml(title)}</h1>
<p class="under">${page.under}</p>
<nav class="sections" aria-label="Sections">${sections.map(({ id, name }) => `<a href="#${id}">${name}</a>`).join('')}</nav>
${page.first}
</header>
<main>
${sections.map(({ id, name, html }) => `<section id="${id}" aria-labelledby="${id}-name"><h2 id="${id}-name">${name}</h2>\n${html}\n</section>`).join('\n')}
</main>
<footer>Written by headlight ${escapeHtml(page.headlightVersion)}. This page asks nothing of the network.</footer>
${end.map((html) => `${html}\n`).join('')}</body>
</html>
`
}

function sha256(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
