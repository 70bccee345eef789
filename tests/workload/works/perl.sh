# Text, numbers, bits and big integers in Perl.
exec perl - <<'PERL'
use strict; use warnings; use Math::BigInt; use Digest::SHA qw(sha512_hex); use POSIX qw(floor fmod); use List::Util qw(sum reduce);
my %count; my $text = join ' ', map { sprintf '%s%d', chr(97 + $_ % 26), $_ * 7919 % 1009 } 1 .. 30000;
$count{$1}++ while $text =~ /\b([a-z])\d*(?:1|3)\b/g;
print join(',', map { "$_=$count{$_}" } sort keys %count), "\n";
(my $swapped = $text) =~ s/([a-m])(\d+)/$2$1/g; print sha512_hex($swapped), "\n"; $swapped =~ tr/a-z0-9/A-Zj-s/; print substr($swapped, 1000, 60), "\n";
print Math::BigInt->new(3)->bpow(500)->bmod(Math::BigInt->new('1000000000000000003')), ' ', Math::BigInt->new(200)->bfac()->length(), "\n";
printf "%.17g %.17g %a %e %s\n", 1 / 3, sum(map { 1 / $_ } 1 .. 10000), fmod(1e17, 7.3), 6.02214076e23 * 1.3, floor(-2.5);
print unpack('H*', pack('NnCvVqd>w', 1, 2, 3, 4, 5, -6, 7.25, 300)), ' ', unpack('%32b*', pack('Q', 0xf0f0f0f0)), "\n";
my @sorted = sort { ($a * 7 % 1013) <=> ($b * 7 % 1013) || $a <=> $b } 1 .. 20000; print join(' ', @sorted[0 .. 9, 10000 .. 10009]), "\n";
print reduce { ($a * 33 ^ $b) & 0xffffffff } 5381, map { ord } split //, $text; print "\n";
my $pid = open(my $child, '-|') // die; if (!$pid) { print "from the child\n"; exit 3 } print <$child>; close $child; print $? >> 8, "\n";
local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; 1 while 1 }; print $@;
PERL
