import type { Colour } from './identity.ts'
import type { Random } from './random.ts'

/** What lights a head, in the camera's axes. */
export interface Light {
  /** Unit vectors towards the lamps. */
  readonly lamps: readonly { readonly towards: readonly [number, number, number]; readonly colour: Colour }[]
  readonly sky: Colour
  readonly ground: Colour
}

export function randomLight(random: Random): Light {
  const ambient = random.between(0.12, 0.45)
  const warm = random.between(-0.15, 0.15)
  const key = random.between(0.5, 1.1)
  const lamps = [{ towards: direction(random, 1), colour: tinted(key, warm) }]
  if (random.chance(0.4))
    lamps.push({ towards: direction(random, 1.8), colour: tinted(key * random.between(0.2, 0.6), -warm) })
  return {
    lamps,
    sky: tinted(ambient * random.between(0.9, 1.4), random.between(-0.2, 0.1)),
    ground: tinted(ambient * random.between(0.4, 0.9), random.between(-0.1, 0.2)),
  }
}

/** Mostly from before and above the head. */
function direction(random: Random, spread: number): [number, number, number] {
  const [x, y, z] = [spread * random.bell() * 0.6, -0.45 + 0.4 * random.bell(), -1]
  const length = Math.sqrt(x * x + y * y + z * z)
  return [x / length, y / length, z / length]
}

function tinted(amount: number, warm: number): Colour {
  return [amount * (1 + warm), amount, amount * (1 - warm)]
}
