import { signedTenth, tenth } from '../../../report/numberText.ts'

/** An angle to a tenth of a degree, with a true minus unless it rounds to nothing; a dash where there is none. */
export function angleText(value: number | null): string {
  if (value === null) return '–'
  const size = tenth(Math.abs(value))
  return value < 0 && Number(size) !== 0 ? `−${size}` : size
}

/** The same with a plus as well. */
export function errorText(value: number | null): string {
  return value === null ? '–' : signedTenth(value)
}
