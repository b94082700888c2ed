import { angleNames, type AngleName } from '../pose/euler.ts'

/** `yaw = −pitch, …`: what the three numbers of a label would have to mean. */
export function readingText(order: readonly AngleName[], signs: readonly number[]): string {
  return angleNames.map((name, index) => `${name} = ${signs[index] === -1 ? '−' : ''}${order[index]}`).join(', ')
}
