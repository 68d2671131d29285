"""Make the shop's database with some products that can be bought, and print their addresses, one a line."""

import os
import sys

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_settings")
django.setup()

from oscar.apps.address.models import Country  # noqa: E402  # Django comes first
from oscar.apps.catalogue.models import Category, Product, ProductClass  # noqa: E402
from oscar.apps.partner.models import Partner, StockRecord  # noqa: E402

call_command("migrate", verbosity=0, run_syncdb=True)
Country.objects.create(
    iso_3166_1_a2="VN", iso_3166_1_a3="VNM", iso_3166_1_numeric="704", printable_name="Việt Nam", name="Việt Nam",
    is_shipping_country=True,
)  # fmt: skip
kind = ProductClass.objects.create(name="Miến", track_stock=True)
shelf = Category.add_root(name="Miến dong", slug="mien-dong")
partner = Partner.objects.create(name="Hợp tác xã")
for number in range(int(sys.argv[1])):
    product = Product.objects.create(
        product_class=kind,
        title=f"Miến dong số {number}",
        slug=f"mien-dong-{number}",
        upc=f"0950600{number:06d}",
        description="Miến làm từ củ dong riềng, phơi nắng. " * 20,
    )
    product.categories.add(shelf)
    StockRecord.objects.create(
        product=product, partner=partner, partner_sku=f"m{number}", price=85_000, num_in_stock=1_000_000
    )
    print(product.get_absolute_url())
