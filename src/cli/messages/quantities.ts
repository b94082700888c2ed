/** 1234567 → `1,234,567`. */
export function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** 75 → `1:15`, 7,322 → `2:02:02`, 180,000 → `2 d 2 h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?'
  const whole = Math.max(0, Math.ceil(seconds))
  const hours = Math.floor(whole / 3600)
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`
  const minutes = Math.floor(whole / 60) % 60
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** Images per second, in the unit in which a reader sees more than noughts: `21 images/s`, `4.5 images/min`. */
export function rateText(imagesPerSecond: number): string {
  for (const [unit, seconds] of rateUnits) {
    const rate = imagesPerSecond * seconds
    // What would be rounded to 0.0 is said in the next unit.
    if (rate >= 0.05) return `${rate < 9.95 ? rate.toFixed(1) : number(Math.round(rate))} images/${unit}`
  }
  return '0 images/s'
}

const rateUnits = [
  ['s', 1],
  ['min', 60],
  ['h', 3_600],
] as const
