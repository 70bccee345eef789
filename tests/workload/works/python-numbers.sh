# Long integers, decimals, fractions, floating point to the last bit.
exec python3 -I - <<'PY'
import cmath, decimal, fractions, hashlib, math, random, statistics, sys
sys.set_int_max_str_digits(0)
print(hashlib.sha256(str(math.factorial(3000)).encode()).hexdigest())
print(pow(3, 10**40 + 7, 2**255 - 19), math.isqrt(10**60 + 12345), math.gcd(2**200 - 1, 3**120 - 1))
decimal.getcontext().prec = 200
print(decimal.Decimal(2).sqrt(), decimal.Decimal(1).exp(), (decimal.Decimal(10) / 7).ln())
print(sum(fractions.Fraction(1, n) for n in range(1, 200)))
random.seed(42)
values = [random.gauss(0, 1) * 10 ** random.randint(-20, 20) for _ in range(5000)]
print(math.fsum(values).hex(), statistics.fmean(values).hex())
for function in (math.sin, math.cos, math.tan, math.exp, math.expm1, math.atan, math.sinh, math.erf, math.lgamma, math.cbrt):
    total = hashlib.sha256()
    for value in values:
        try:
            total.update(function(math.fmod(value, 500)).hex().encode())
        except (OverflowError, ValueError) as error:
            total.update(str(error).encode())
    print(function.__name__, total.hexdigest()[:24])
print(cmath.sqrt(-3 + 4j), cmath.exp(1j * math.pi), (0.1 + 0.2).hex(), float("1e-320").hex(), math.nextafter(1, 2).hex())
print(round(2.675, 2), round(-0.5), 7 // -2, -7 % 3, divmod(-7.5, 2), int(1e300) % 997, f"{1/3:.40f}", 1e22 + 1)
PY
