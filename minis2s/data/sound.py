"""Sound: WAV files in and out, and the log-mel spectrogram, the frames that speech recognition reads (row U2).

A microphone gives thousands of numbers a second; what was said lies in how loud each pitch is, some hundred times a
second.

    samples x                     windows of 25 ms, every 10 ms          frames
    ~~~~~~~~~~~~~~~~~~~~~  ->     [~~~~~]                         ->     f_1 (40 numbers)
                                     [~~~~~]                             f_2
                                        [~~~~~]                          f_3

    P_t[k] = |sum_n w[n] x[t hop + n] exp(-2 pi i k n / M)|^2     the power of each frequency k rate / M
    w[n]   = (1 - cos(2 pi n / L)) / 2                            Hann window of L samples, zeros up to M, a power of 2
    mel(v) = 2595 log10(1 + v / 700)                    pitch as we hear it: even steps of mel (O'Shaughnessy 1987)
    f_t[b] = log(sum_k B_b[k] P_t[k] + 1e-6)                      B_b: a triangle over the band b, bands even in mel

B_b rises from 0 at the middle of band b-1 to 1 at its own and falls to 0 at the middle of band b+1 (Davis &
Mermelstein 1980).
"""
import functools
import wave

import numpy as np

BANDS = 40                          # numbers of a frame
WINDOW, HOP = 0.025, 0.010          # seconds
FLOOR = 1e-6                        # power that counts as silence: for 16 bits, noise of the last bit is below
MOST_SECONDS = 600
RATES = 4_000, 192_000              # samples a second, least and most


def log_mel(samples, rate, bands=BANDS):
    """The log-mel spectrogram.

    Parameters
    ----------
    samples : array_like of floats, (n,)
        From -1 to 1.
    rate : int
        Samples a second.
    bands : int

    Returns
    -------
    ndarray of shape (T, bands), float64
        T windows fit into the samples.

    Raises
    ------
    ValueError
        There are fewer samples than one window has, or one is not finite.
    """
    x, L, hop = np.asarray(samples, dtype=float), round(WINDOW * rate), round(HOP * rate)
    if x.ndim != 1 or len(x) < L:
        raise ValueError(f"{x.shape[0] if x.ndim else 0} sample{'' if len(x) == 1 else 's'}, wanted at least {L}: one "
                         f"window "
                         f"of {1000 * WINDOW:g} ms")
    if not np.isfinite(x).all():
        raise ValueError(f"sample {int(np.argmin(np.isfinite(x)))} is not finite")
    M, w = 1 << (L - 1).bit_length(), (1 - np.cos(2 * np.pi * np.arange(L) / L)) / 2
    windows = np.lib.stride_tricks.sliding_window_view(x, L)[::hop]
    power = np.abs(np.fft.rfft(windows * w, M)) ** 2
    return np.log(power @ mel_bands(rate, M, bands).T + FLOOR)


def mel(v):
    """Frequency in Hz -> pitch in mel."""
    return 2595 * np.log10(1 + np.asarray(v) / 700)


def hertz(m):
    """Pitch in mel -> frequency in Hz."""
    return 700 * (10 ** (np.asarray(m) / 2595) - 1)


@functools.lru_cache
def mel_bands(rate, M, bands):
    """B (bands, M/2 + 1): a triangle for each band, over the frequencies of a window of M samples."""
    v, edges = np.arange(M // 2 + 1) * rate / M, hertz(np.linspace(0, mel(rate / 2), bands + 2))
    low, middle, high = (edges[i:i + bands, None] for i in range(3))
    B = np.clip(np.minimum((v - low) / (middle - low), (high - v) / (high - middle)), 0, None)
    B.setflags(write=False)
    return B


# WAV files --------------------------------------------------------------------------------------------------

def read_wav(path):
    """Read a WAV file of one channel, PCM of 8, 16, 24 or 32 bits: -> samples from -1 to 1 (n,), rate.

    Raises
    ------
    FileNotFoundError, OSError
    ValueError
        In one line that names the file: another format, several channels, no samples, an unusual rate, a file that is
        cut off.
    """
    try:
        with wave.open(str(path), "rb") as f:
            channels, width, rate, count, *_ = f.getparams()
            check_form(path, channels, width, rate, count)
            data = f.readframes(count)
    except wave.Error as e:
        raise ValueError(f"{path}: {wave_problem(e)}; wanted PCM of 8, 16, 24 or 32 bits, one channel") from None
    except EOFError:
        raise ValueError(f"{path}: no whole WAV file (it ends too soon)") from None
    except IsADirectoryError:
        raise ValueError(f"{path}: a directory, wanted a WAV file") from None
    if len(data) < count * width:
        raise ValueError(f"{path}: cut off after {len(data) // width:,} of {count:,} samples")
    return decoded(data, width), rate


def wave_problem(e):
    """What the standard library refuses, in words: it knows PCM only."""
    number = str(e).rpartition("unknown format: ")[2]
    kinds = {"3": "samples are floats", "6": "compressed (A-law)", "7": "compressed (mu-law)",
             "2": "compressed (ADPCM)",
             "85": "compressed (MP3)"}
    return kinds.get(number, f"compressed or unknown (format {number})" if number.isdigit() else f"no WAV file ({e})")


def check_form(path, channels, width, rate, count):
    """ValueError for a form of WAV that is not read."""
    if channels != 1:
        raise ValueError(f"{path}: {channels} channels, wanted one (mono)")
    if width not in (1, 2, 3, 4):
        raise ValueError(f"{path}: samples of {8 * width} bits, wanted 8, 16, 24 or 32")
    if not RATES[0] <= rate <= RATES[1]:
        raise ValueError(f"{path}: {rate:,} samples a second, wanted {RATES[0]:,} to {RATES[1]:,}")
    if count == 0:
        raise ValueError(f"{path}: no samples")
    if count > MOST_SECONDS * rate:
        raise ValueError(f"{path}: {count / rate:,.0f} seconds long, wanted at most {MOST_SECONDS}")


def decoded(data, width):
    """Bytes of PCM -> samples from -1 to 1.  8 bits are unsigned, all others signed, the low byte first."""
    if width == 1:
        return (np.frombuffer(data, np.uint8) - 128.0) / 128
    if width == 3:                                              # one byte more below: 24 bits become 32
        low = np.zeros((len(data) // 3, 4), np.uint8)
        low[:, 1:] = np.frombuffer(data, np.uint8)[:len(data) // 3 * 3].reshape(-1, 3)
        data, width = low.tobytes(), 4
    return np.frombuffer(data, f"<i{width}") / float(1 << (8 * width - 1))


def write_wav(path, samples, rate):
    """Write samples from -1 to 1 as a WAV file of 16 bits, whole or not at all; what is louder is clipped."""
    from ..core.files import write_atomically
    numbers = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")

    def write(temporary):
        with wave.open(str(temporary), "wb") as f:
            f.setnchannels(1)
            f.setsampwidth(2)
            f.setframerate(rate)
            f.writeframes(numbers.tobytes())
    write_atomically(path, write)
