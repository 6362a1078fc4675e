"""Words that are printed, spelled or invented."""

import string

COMMON = (
    "A I IT IS IN ON UP GO NO WE BE DO AN OF TO SO CAT DOG SUN SKY CAR BUS MAP CUP HAT BOX KEY PEN BED ICE SEA EGG BEE "
    "COW PIG FOX OWL ANT BAT BIG RED HOT NEW OLD ONE TWO SIX TEN YES OUT OFF WAY DAY BOY MAN ART AIR ARM EAR EYE LEG "
    "OPEN STOP EXIT SALE TAXI PARK BANK SHOP CAFE HOME ROAD TREE BIRD FISH FROG BEAR LION WOLF DUCK GOAT MILK RICE "
    "BREAD CAKE SALT SOUP MEAT CORN BEAN PLUM PEAR LIME MINT RAIN SNOW WIND STAR MOON FIRE GOLD IRON WOOD ROCK SAND "
    "LAKE HILL FARM TOWN CITY SHIP BOAT DOOR WALL ROOF ROOM DESK LAMP BOOK PAGE WORD LINE GAME BALL KING TIME YEAR "
    "HOUSE WATER LIGHT NIGHT PLANT RIVER OCEAN BEACH CLOUD STORM STONE GRASS APPLE LEMON GRAPE PEACH MELON MANGO "
    "HORSE SHEEP MOUSE TIGER ZEBRA SNAKE EAGLE WHALE SHARK TRAIN PLANE TRUCK WHEEL CHAIR TABLE CLOCK PHONE RADIO "
    "MUSIC PIANO PAPER PAINT BRUSH KNIFE SPOON PLATE GLASS SHIRT DRESS SHOES GREEN BLACK WHITE BROWN SMALL LARGE "
    "QUICK SLOW HAPPY QUIET YOUNG WORLD EARTH NORTH SOUTH EAST WEST LEFT RIGHT FIRST THIRD SEVEN EIGHT THREE "
    "ORANGE BANANA CHERRY TOMATO POTATO CARROT ONION GARLIC PEPPER COFFEE CHEESE BUTTER SUGAR HONEY BOTTLE BASKET "
    "GARDEN FLOWER FOREST ISLAND DESERT VALLEY BRIDGE STREET SQUARE CIRCLE SCHOOL OFFICE MARKET MUSEUM CASTLE TEMPLE "
    "KITCHEN WINDOW MIRROR PILLOW BLANKET CANDLE PENCIL LETTER NUMBER PICTURE CAMERA ROCKET PLANET SUMMER WINTER "
    "SPRING AUTUMN MORNING EVENING MONDAY FRIDAY SUNDAY JANUARY MARCH APRIL AUGUST RABBIT MONKEY TURTLE SPIDER DRAGON "
    "CHICKEN PENGUIN DOLPHIN GIRAFFE ELEPHANT HOSPITAL AIRPORT STATION LIBRARY BAKERY THEATRE MOUNTAIN VILLAGE "
    "COMPUTER KEYBOARD TELEPHONE BICYCLE TICKET WELCOME DANGER WARNING CLOSED PRIVATE PARKING POLICE TOILET DOCTOR "
    "TEACHER FRIEND FAMILY CHILDREN BIRTHDAY HOLIDAY TREASURE DIAMOND SILVER COPPER ENGINE MACHINE HAMMER LADDER "
    "QUARTZ JUNGLE VOYAGE WIZARD OXYGEN PUZZLE FJORD JAZZ QUILT EXPERT MAXIMUM ZIGZAG VORTEX SPHINX JACKET QUEEN"
).split()
COMMON = [word for word in COMMON if len(word) <= 8]
VOWELS, CONSONANTS = "aeiou", "bdfgklmnprstvz"
ENDS = ("", "n", "r", "l", "s", "m")
LETTERS, DIGITS = string.ascii_uppercase, string.digits


def _pick(rng, options):
    return options[int(rng.integers(len(options)))]


def invented(rng, syllables):
    """A pronounceable word in lower case."""
    body = "".join(_pick(rng, CONSONANTS) + _pick(rng, VOWELS) for _ in range(syllables))
    return body + _pick(rng, ENDS)


def invented_name(rng, syllables=2):
    return invented(rng, syllables).capitalize()


def random_word(rng, longest=8):
    """Capitals: a common word, a pronounceable one, or any letters; at most `longest` of them."""
    draw = rng.random()
    if draw < 0.4:
        while True:
            word = _pick(rng, COMMON)
            if len(word) <= longest:
                return word
    length = int(rng.integers(1, longest + 1))
    if draw < 0.65:
        return invented(rng, 4).upper()[:length]
    return "".join(_pick(rng, LETTERS) for _ in range(length))


def random_text(rng, longest=8):
    """What a sign says: a word, or a number in one case of three."""
    if rng.random() < 0.33:
        length = int(rng.integers(1, longest + 1))
        return "".join(_pick(rng, DIGITS) for _ in range(length))
    return random_word(rng, longest)
