import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { InputError } from '../base/errors.ts'
import { atlasStyle } from '../report/atlas/atlasStyle.ts'
import { chartStyle } from '../report/charts/chartStyle.ts'
import { colourStyle } from '../report/colours.ts'
import { compareStyle } from '../report/compare/page/compareStyle.ts'
import { pageStyle } from '../report/pageStyle.ts'

/** A file that the page loads. Its path names its content, so that a browser keeps it for good. */
export interface Asset {
  readonly path: string
  readonly text: string
  readonly contentType: string
}

export interface Assets {
  readonly script: Asset
  readonly style: Asset
  readonly icon: Asset
}

/** A head in profile, and the light on it. */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#341b21"/><circle cx="19" cy="16" r="9" fill="#df8227"/><path d="M2 11l9 3v4l-9 3z" fill="#ffe566"/></svg>'

/** The same place from `src/serve` and from `dist/serve`. */
const bundled = new URL('../../dist/serve/client/', import.meta.url)

/** The browser's side. The style sheet begins with the report's, whose charts the app shows. InputError when it is not built. */
export async function readAssets(): Promise<Assets> {
  const [script, style] = await Promise.all(
    ['app.js', 'style.css'].map(async (name) => {
      try {
        return await readFile(new URL(name, bundled), 'utf8')
      } catch (error) {
        const message = `${new URL(name, bundled).pathname} is missing, the browser's side of the app; npm run build makes it`
        throw new InputError('bad-layout', message, { cause: error })
      }
    }),
  )
  const all = [pageStyle, colourStyle, chartStyle, atlasStyle, compareStyle, style].join('\n')
  return {
    script: asset('app', 'js', script ?? '', 'text/javascript; charset=utf-8'),
    style: asset('style', 'css', all, 'text/css; charset=utf-8'),
    icon: asset('icon', 'svg', icon, 'image/svg+xml'),
  }
}

function asset(name: string, suffix: string, text: string, contentType: string): Asset {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 12)
  return { path: `/assets/${name}-${digest}.${suffix}`, text, contentType }
}
