import type { Random } from './random.ts'

/** A cluttered room, wall or garden out of focus: linear light, height × width × 3. Never one flat colour. */
export function randomBackground(random: Random, width: number, height: number): Float32Array {
  const pixels = new Float32Array(width * height * 3)
  const level = Math.pow(random.between(0.15, 1), 2)
  const colour = (spread: number): Triple => {
    const bright = level * random.between(1 - spread, 1 + spread)
    const vivid = random.chance(0.25) ? 0.8 : 0.25
    return [0, 1, 2].map(() => bright * random.between(1 - vivid, 1 + vivid)) as Triple
  }
  const [upper, lower] = [colour(0.5), colour(0.5)]
  const slant = random.between(-0.5, 0.5)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const t = Math.min(1, Math.max(0, y / height + slant * (x / width - 0.5)))
      for (let channel = 0; channel < 3; channel++) {
        pixels[at + channel] = upper[channel]! + (lower[channel]! - upper[channel]!) * t
      }
    }
  }
  const shapes = Math.floor(random.between(3, 22))
  const side = Math.min(width, height)
  for (let index = 0; index < shapes; index++) drawShape(pixels, width, height, side, random, colour(1))
  addClouds(pixels, width, height, random.between(6, 22), random.between(0.05, 0.3), random)
  addClouds(pixels, width, height, random.between(2, 6), random.between(0.02, 0.22), random)
  return pixels
}

type Triple = [number, number, number]

/** A turned rectangle, an ellipse or a set of stripes, more or less see-through. */
function drawShape(pixels: Float32Array, width: number, height: number, side: number, random: Random, colour: Triple) {
  const kind = random.pick(['rectangle', 'rectangle', 'ellipse', 'stripes'] as const)
  const [centreX, centreY] = [random.between(0, width), random.between(0, height)]
  const [across, down] = [side * random.between(0.02, 0.4), side * random.between(0.02, 0.4)]
  const turn = random.chance(0.5) ? 0 : random.between(-1.6, 1.6)
  const [c, s] = [Math.cos(turn), Math.sin(turn)]
  const soft = 1 / random.between(1, 4)
  const strength = random.between(0.4, 1)
  const pitch = random.between(0.15, 0.8)
  const reach = Math.sqrt(across * across + down * down) + 4
  const [top, bottom] = [Math.max(0, Math.floor(centreY - reach)), Math.min(height - 1, Math.ceil(centreY + reach))]
  const [left, right] = [Math.max(0, Math.floor(centreX - reach)), Math.min(width - 1, Math.ceil(centreX + reach))]
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const dx = c * (x - centreX) + s * (y - centreY)
      const dy = c * (y - centreY) - s * (x - centreX)
      let inside = Math.min(across - Math.abs(dx), down - Math.abs(dy))
      if (kind === 'ellipse')
        inside = (1 - Math.sqrt((dx * dx) / (across * across) + (dy * dy) / (down * down))) * across
      if (kind === 'stripes' && Math.sin(dx * pitch) < 0) continue
      const weight = strength * Math.min(1, Math.max(0, inside * soft + 0.5))
      if (weight === 0) continue
      const at = 3 * (y * width + x)
      for (let channel = 0; channel < 3; channel++) {
        pixels[at + channel] = pixels[at + channel]! + (colour[channel]! - pixels[at + channel]!) * weight
      }
    }
  }
}

/** Smooth noise on a lattice of `cell` pixels, multiplied on. */
function addClouds(pixels: Float32Array, width: number, height: number, cell: number, amount: number, random: Random) {
  const [columns, rows] = [Math.ceil(width / cell) + 2, Math.ceil(height / cell) + 2]
  const lattice = Float32Array.from({ length: columns * rows }, () => random.between(1 - amount, 1 + amount))
  for (let y = 0, at = 0; y < height; y++) {
    const row = Math.floor(y / cell)
    const low = y / cell - row
    for (let x = 0; x < width; x++, at += 3) {
      const column = Math.floor(x / cell)
      const right = x / cell - column
      const from = row * columns + column
      const upper = lattice[from]! + (lattice[from + 1]! - lattice[from]!) * right
      const lower = lattice[from + columns]! + (lattice[from + columns + 1]! - lattice[from + columns]!) * right
      const factor = upper + (lower - upper) * low
      for (let channel = 0; channel < 3; channel++) pixels[at + channel] = pixels[at + channel]! * factor
    }
  }
}
