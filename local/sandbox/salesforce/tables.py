"""The standard fields of the objects the simulator knows, one line a field.

Why this file exists: describe, SOQL, and every check of a written value come from these lines; a further object is a
further table here and an entry in `kinds.py`. It knows nothing of requests, users or rules.

A line is `Name type length flags [key=value ...]` with `_` for a blank in values. Flags: C createable, U updateable,
N nillable, D defaultedOnCreate, F filterable, S sortable, I idLookup, G groupable, A aggregatable, R restrictedPicklist,
P permissionable (field-level security can be set), T nameField, X externalId, Q unique, K caseSensitive, - none.
Keys: to= referenced objects, via= relationship name, in= compound field, digits= precision.scale, of= a list in
`PICKLISTS`, default= default value, label= where it is not the name with blanks.
Sources: sObject describe of API 52.0 (Contact), 48.0 (Account), 59.0 (Lead); User and Organization after the Object Reference.
"""

PICKLISTS: dict[str, tuple[str, ...]] = {
    "Salutation": (
        "Mr.",
        "Ms.",
        "Mrs.",
        "Dr.",
        "Prof.",
    ),
    "LeadSalutation": (
        "Mr.",
        "Ms.",
        "Mrs.",
        "Dr.",
        "Prof.",
        "Mx.",
    ),
    "GeocodeAccuracy": (
        "Address",
        "NearAddress",
        "Block",
        "Street",
        "ExtendedZip",
        "Zip",
        "Neighborhood",
        "City",
        "County",
        "State",
        "Unknown",
    ),
    "LeadSource": (
        "Web",
        "Phone Inquiry",
        "Partner Referral",
        "Purchased List",
        "Other",
    ),
    "CleanStatus": (
        "Matched",
        "Different",
        "Acknowledged",
        "NotFound",
        "Inactive",
        "Pending",
        "SelectMatch",
        "Skipped",
    ),
    "Type": (
        "Prospect",
        "Customer - Direct",
        "Customer - Channel",
        "Channel Partner / Reseller",
        "Installation Partner",
        "Technology Partner",
        "Other",
    ),
    "Industry": (
        "Agriculture",
        "Apparel",
        "Banking",
        "Biotechnology",
        "Chemicals",
        "Communications",
        "Construction",
        "Consulting",
        "Education",
        "Electronics",
        "Energy",
        "Engineering",
        "Entertainment",
        "Environmental",
        "Finance",
        "Food & Beverage",
        "Government",
        "Healthcare",
        "Hospitality",
        "Insurance",
        "Machinery",
        "Manufacturing",
        "Media",
        "Not For Profit",
        "Recreation",
        "Retail",
        "Shipping",
        "Technology",
        "Telecommunications",
        "Transportation",
        "Utilities",
        "Other",
    ),
    "Ownership": (
        "Public",
        "Private",
        "Subsidiary",
        "Other",
    ),
    "Rating": (
        "Hot",
        "Warm",
        "Cold",
    ),
    "Status": (
        "Open - Not Contacted",
        "Working - Contacted",
        "Closed - Converted",
        "Closed - Not Converted",
    ),
    "TimeZoneSidKey": (
        "UTC",
        "GMT",
        "Europe/London",
        "Europe/Berlin",
        "Europe/Vienna",
        "America/New_York",
        "America/Los_Angeles",
        "Asia/Tokyo",
    ),
    "LocaleSidKey": (
        "en_US",
        "en_GB",
        "de",
        "de_AT",
        "de_DE",
        "fr",
        "es",
        "it",
        "ja",
    ),
    "EmailEncodingKey": (
        "UTF-8",
        "ISO-8859-1",
    ),
    "UserType": (
        "Standard",
        "Guest",
        "AutomatedProcess",
    ),
    "OrganizationType": (
        "Developer Edition",
        "Enterprise Edition",
        "Unlimited Edition",
        "Professional Edition",
    ),
}

CONTACT = """
Id id 18 DFSIGA label=Contact_ID
IsDeleted boolean 0 DFSG label=Deleted
MasterRecordId reference 18 NFSGA to=Contact via=MasterRecord label=Master_Record_ID
AccountId reference 18 CUNFSGAP to=Account via=Account label=Account_ID
LastName string 80 CUFSGA in=Name
FirstName string 40 CUNFSGA in=Name
Salutation picklist 40 CUNFSGA in=Name of=Salutation
Name string 121 FSGAT label=Full_Name
OtherStreet textarea 255 CUNFSGAP in=OtherAddress
OtherCity string 40 CUNFSGAP in=OtherAddress
OtherState string 80 CUNFSGAP in=OtherAddress label=Other_State/Province
OtherPostalCode string 20 CUNFSGAP in=OtherAddress label=Other_Zip/Postal_Code
OtherCountry string 80 CUNFSGAP in=OtherAddress
OtherLatitude double 0 CUNFSAP in=OtherAddress digits=18.15
OtherLongitude double 0 CUNFSAP in=OtherAddress digits=18.15
OtherGeocodeAccuracy picklist 40 CUNFSGARP in=OtherAddress of=GeocodeAccuracy
OtherAddress address 0 NFP
MailingStreet textarea 255 CUNFSGAP in=MailingAddress
MailingCity string 40 CUNFSGAP in=MailingAddress
MailingState string 80 CUNFSGAP in=MailingAddress label=Mailing_State/Province
MailingPostalCode string 20 CUNFSGAP in=MailingAddress label=Mailing_Zip/Postal_Code
MailingCountry string 80 CUNFSGAP in=MailingAddress
MailingLatitude double 0 CUNFSAP in=MailingAddress digits=18.15
MailingLongitude double 0 CUNFSAP in=MailingAddress digits=18.15
MailingGeocodeAccuracy picklist 40 CUNFSGARP in=MailingAddress of=GeocodeAccuracy
MailingAddress address 0 NFP
Phone phone 40 CUNFSGAP label=Business_Phone
Fax phone 40 CUNFSGAP label=Business_Fax
MobilePhone phone 40 CUNFSGAP
HomePhone phone 40 CUNFSGAP
OtherPhone phone 40 CUNFSGAP
AssistantPhone phone 40 CUNFSGAP label=Asst._Phone
ReportsToId reference 18 CUNFSGAP to=Contact via=ReportsTo label=Reports_To_ID
Email email 80 CUNFSIGAP
Title string 128 CUNFSGAP
Department string 80 CUNFSGAP
AssistantName string 40 CUNFSGAP label=Assistant's_Name
LeadSource picklist 255 CUNFSGAP of=LeadSource
Birthdate date 0 CUNFSGAP
Description textarea 32000 CUNP label=Contact_Description
OwnerId reference 18 CUDFSGA to=User via=Owner label=Owner_ID
CreatedDate datetime 0 DFSA
CreatedById reference 18 DFSGA to=User via=CreatedBy label=Created_By_ID
LastModifiedDate datetime 0 DFSA
LastModifiedById reference 18 DFSGA to=User via=LastModifiedBy label=Last_Modified_By_ID
SystemModstamp datetime 0 DFSA
LastActivityDate date 0 NFSGA label=Last_Activity
LastCURequestDate datetime 0 NFSA label=Last_Stay-in-Touch_Request_Date
LastCUUpdateDate datetime 0 NFSA label=Last_Stay-in-Touch_Save_Date
LastViewedDate datetime 0 NFSA
LastReferencedDate datetime 0 NFSA
EmailBouncedReason string 255 CUNFSGA
EmailBouncedDate datetime 0 CUNFSA
IsEmailBounced boolean 0 DFSG
PhotoUrl url 255 NFSGA label=Photo_URL
Jigsaw string 20 CUNFSGAP label=Data.com_Key
JigsawContactId string 20 NFSGA label=Jigsaw_Contact_ID
CleanStatus picklist 40 CUNFSGARP of=CleanStatus
IndividualId reference 18 CUNFSGA to=Individual via=Individual label=Individual_ID
"""

ACCOUNT = """
Id id 18 DFSIGA label=Account_ID
IsDeleted boolean 0 DFSG label=Deleted
MasterRecordId reference 18 NFSGA to=Account via=MasterRecord label=Master_Record_ID
Name string 255 CUFSGAT in=Name label=Account_Name
Type picklist 40 CUNFSGAP of=Type label=Account_Type
ParentId reference 18 CUNFSGAP to=Account via=Parent label=Parent_Account_ID
BillingStreet textarea 255 CUNFSGAP in=BillingAddress
BillingCity string 40 CUNFSGAP in=BillingAddress
BillingState string 80 CUNFSGAP in=BillingAddress label=Billing_State/Province
BillingPostalCode string 20 CUNFSGAP in=BillingAddress label=Billing_Zip/Postal_Code
BillingCountry string 80 CUNFSGAP in=BillingAddress
BillingLatitude double 0 CUNFSAP in=BillingAddress digits=18.15
BillingLongitude double 0 CUNFSAP in=BillingAddress digits=18.15
BillingGeocodeAccuracy picklist 40 CUNFSGARP in=BillingAddress of=GeocodeAccuracy
BillingAddress address 0 NFP
ShippingStreet textarea 255 CUNFSGAP in=ShippingAddress
ShippingCity string 40 CUNFSGAP in=ShippingAddress
ShippingState string 80 CUNFSGAP in=ShippingAddress label=Shipping_State/Province
ShippingPostalCode string 20 CUNFSGAP in=ShippingAddress label=Shipping_Zip/Postal_Code
ShippingCountry string 80 CUNFSGAP in=ShippingAddress
ShippingLatitude double 0 CUNFSAP in=ShippingAddress digits=18.15
ShippingLongitude double 0 CUNFSAP in=ShippingAddress digits=18.15
ShippingGeocodeAccuracy picklist 40 CUNFSGARP in=ShippingAddress of=GeocodeAccuracy
ShippingAddress address 0 NFP
Phone phone 40 CUNFSGAP label=Account_Phone
Fax phone 40 CUNFSGAP label=Account_Fax
AccountNumber string 40 CUNFSGAP
Website url 255 CUNFSGAP
PhotoUrl url 255 NFSGA label=Photo_URL
Sic string 20 CUNFSGAP label=SIC_Code
Industry picklist 40 CUNFSGAP of=Industry
AnnualRevenue currency 0 CUNFSAP digits=18.0
NumberOfEmployees int 0 CUNFSGAP digits=8.0 label=Employees
Ownership picklist 40 CUNFSGAP of=Ownership
TickerSymbol string 20 CUNFSGAP
Description textarea 32000 CUNP label=Account_Description
Rating picklist 40 CUNFSGAP of=Rating label=Account_Rating
Site string 80 CUNFSGAP label=Account_Site
OwnerId reference 18 CUDFSGA to=User via=Owner label=Owner_ID
CreatedDate datetime 0 DFSA
CreatedById reference 18 DFSGA to=User via=CreatedBy label=Created_By_ID
LastModifiedDate datetime 0 DFSA
LastModifiedById reference 18 DFSGA to=User via=LastModifiedBy label=Last_Modified_By_ID
SystemModstamp datetime 0 DFSA
LastActivityDate date 0 NFSGA label=Last_Activity
LastViewedDate datetime 0 NFSA
LastReferencedDate datetime 0 NFSA
IsPartner boolean 0 UDFSG label=Partner_Account
IsCustomerPortal boolean 0 UDFSG label=Customer_Portal_Account
ChannelProgramName string 255 NGA
ChannelProgramLevelName string 255 NGA
Jigsaw string 20 CUNFSGAP label=Data.com_Key
JigsawCompanyId string 20 NFSGA label=Jigsaw_Company_ID
CleanStatus picklist 40 CUNFSGARP of=CleanStatus
AccountSource picklist 40 CUNFSGAP of=LeadSource
DunsNumber string 9 CUNFSGAP label=D-U-N-S_Number
Tradestyle string 255 CUNFSGAP
NaicsCode string 8 CUNFSGAP label=NAICS_Code
NaicsDesc string 120 CUNFSGAP label=NAICS_Description
YearStarted string 4 CUNFSGAP
SicDesc string 80 CUNFSGAP label=SIC_Description
DandbCompanyId reference 18 CUNFSGAP to=DandBCompany via=DandbCompany label=D&B_Company_ID
OperatingHoursId reference 18 CUNFSGAP to=OperatingHours via=OperatingHours label=Operating_Hour_ID
"""

LEAD = """
Id id 18 DFSIGA label=Lead_ID
IsDeleted boolean 0 DFSG label=Deleted
MasterRecordId reference 18 NFSGA to=Lead via=MasterRecord label=Master_Record_ID
LastName string 80 CUFSGA in=Name
FirstName string 40 CUNFSGA in=Name
Salutation picklist 40 CUNFSGA in=Name of=LeadSalutation
Name string 121 FSGAT label=Full_Name
Title string 128 CUNFSGAP
Company string 255 CUFSGA
Street textarea 255 CUNFSGAP in=Address
City string 40 CUNFSGAP in=Address
State string 80 CUNFSGAP in=Address label=State/Province
PostalCode string 20 CUNFSGAP in=Address label=Zip/Postal_Code
Country string 80 CUNFSGAP in=Address
Latitude double 0 CUNFSAP in=Address digits=18.15
Longitude double 0 CUNFSAP in=Address digits=18.15
GeocodeAccuracy picklist 40 CUNFSGARP in=Address of=GeocodeAccuracy
Address address 0 NFP
Phone phone 40 CUNFSGAP
MobilePhone phone 40 CUNFSGAP
Fax phone 40 CUNFSGAP
Email email 80 CUNFSIGAP
Website url 255 CUNFSGAP
PhotoUrl url 255 NFSGA label=Photo_URL
Description textarea 32000 CUNP
LeadSource picklist 255 CUNFSGAP of=LeadSource
Status picklist 255 CUDFSGA of=Status default=Open_-_Not_Contacted
Industry picklist 255 CUNFSGAP of=Industry
Rating picklist 255 CUNFSGAP of=Rating
AnnualRevenue currency 0 CUNFSAP digits=18.0
NumberOfEmployees int 0 CUNFSGAP digits=8.0 label=Employees
OwnerId reference 18 CUDFSGA to=Group|User via=Owner label=Owner_ID
IsConverted boolean 0 CDFSG label=Converted
ConvertedDate date 0 NFSGA
ConvertedAccountId reference 18 NFSGA to=Account via=ConvertedAccount label=Converted_Account_ID
ConvertedContactId reference 18 NFSGA to=Contact via=ConvertedContact label=Converted_Contact_ID
ConvertedOpportunityId reference 18 NFSGA to=Opportunity via=ConvertedOpportunity label=Converted_Opportunity_ID
IsUnreadByOwner boolean 0 CUDFSG label=Unread_By_Owner
CreatedDate datetime 0 DFSA
CreatedById reference 18 DFSGA to=User via=CreatedBy label=Created_By_ID
LastModifiedDate datetime 0 DFSA
LastModifiedById reference 18 DFSGA to=User via=LastModifiedBy label=Last_Modified_By_ID
SystemModstamp datetime 0 DFSA
LastActivityDate date 0 NFSGA label=Last_Activity
LastViewedDate datetime 0 NFSA
LastReferencedDate datetime 0 NFSA
Jigsaw string 20 CUNFSGAP label=Data.com_Key
JigsawContactId string 20 NFSGA label=Jigsaw_Contact_ID
CleanStatus picklist 40 CUNFSGARP of=CleanStatus
CompanyDunsNumber string 9 CUNFSGAP label=Company_D-U-N-S_Number
DandbCompanyId reference 18 CUNFSGAP to=DandBCompany via=DandbCompany label=D&B_Company_ID
EmailBouncedReason string 255 UNFSGA
EmailBouncedDate datetime 0 UNFSA
IndividualId reference 18 CUNFSGA to=Individual via=Individual label=Individual_ID
"""

USER = """
Id id 18 DFSIGA label=User_ID
Username string 80 CUFSIGA
LastName string 80 CUFSGA in=Name
FirstName string 40 CUNFSGA in=Name
Name string 121 FSGAT label=Full_Name
CompanyName string 80 CUNFSGA
Division string 80 CUNFSGA
Department string 80 CUNFSGA
Title string 80 CUNFSGA
Street textarea 255 CUNFSGA in=Address
City string 40 CUNFSGA in=Address
State string 80 CUNFSGA in=Address label=State/Province
PostalCode string 20 CUNFSGA in=Address label=Zip/Postal_Code
Country string 80 CUNFSGA in=Address
Address address 0 NF
Email email 128 CUFSIGA
Phone phone 40 CUNFSGA
Fax phone 40 CUNFSGA
MobilePhone phone 40 CUNFSGA
Alias string 8 CUFSGA
CommunityNickname string 40 CUDFSIGA
IsActive boolean 0 CUDFSG label=Active
TimeZoneSidKey picklist 40 CUFSGAR of=TimeZoneSidKey
LocaleSidKey picklist 40 CUFSGAR of=LocaleSidKey
EmailEncodingKey picklist 40 CUFSGAR of=EmailEncodingKey
LanguageLocaleKey picklist 40 CUFSGAR of=LocaleSidKey
ProfileId reference 18 CUFSGA to=Profile via=Profile label=Profile_ID
UserRoleId reference 18 CUNFSGA to=UserRole via=UserRole label=Role_ID
UserType picklist 40 NFSGAR of=UserType
EmployeeNumber string 20 CUNFSGA
ManagerId reference 18 CUNFSGA to=User via=Manager label=Manager_ID
LastLoginDate datetime 0 NFSA label=Last_Login
CreatedDate datetime 0 DFSA
CreatedById reference 18 DFSGA to=User via=CreatedBy label=Created_By_ID
LastModifiedDate datetime 0 DFSA
LastModifiedById reference 18 DFSGA to=User via=LastModifiedBy label=Last_Modified_By_ID
SystemModstamp datetime 0 DFSA
FederationIdentifier string 512 CUNFSGA label=SAML_Federation_ID
AboutMe textarea 1000 CUN
"""

ORGANIZATION = """
Id id 18 DFSGA label=Organization_ID
Name string 80 UFSGAT label=Name
InstanceName string 5 NFSGA
IsSandbox boolean 0 DFSG
OrganizationType picklist 40 NFSGA of=OrganizationType label=Edition
CreatedDate datetime 0 DFSA
SystemModstamp datetime 0 DFSA
"""

MIDDLE_NAME = """
MiddleName string 40 CUNFSGA in=Name
"""

SUFFIX = """
Suffix string 40 CUNFSGA in=Name
"""

PERSON_CONTACT = """
IsPersonAccount boolean 0 DFSG
"""

PERSON_ACCOUNT = """
IsPersonAccount boolean 0 DFSG
PersonContactId reference 18 NFSGA to=Contact via=PersonContact label=Contact_ID
LastName string 80 CUNFSGA in=Name
FirstName string 40 CUNFSGA in=Name
Salutation picklist 40 CUNFSGA in=Name of=Salutation
PersonEmail email 80 CUNFSIGAP label=Email
PersonTitle string 80 CUNFSGAP label=Title
PersonDepartment string 80 CUNFSGAP label=Department
PersonMobilePhone phone 40 CUNFSGAP label=Mobile
PersonHomePhone phone 40 CUNFSGAP label=Home_Phone
PersonOtherPhone phone 40 CUNFSGAP label=Other_Phone
PersonAssistantName string 40 CUNFSGAP label=Assistant
PersonAssistantPhone phone 40 CUNFSGAP label=Asst._Phone
PersonBirthdate date 0 CUNFSGAP label=Birthdate
PersonMailingStreet textarea 255 CUNFSGAP label=Mailing_Street
PersonMailingCity string 40 CUNFSGAP label=Mailing_City
PersonMailingState string 80 CUNFSGAP label=Mailing_State/Province
PersonMailingPostalCode string 20 CUNFSGAP label=Mailing_Zip/Postal_Code
PersonMailingCountry string 80 CUNFSGAP label=Mailing_Country
PersonOtherStreet textarea 255 CUNFSGAP label=Other_Street
PersonOtherCity string 40 CUNFSGAP label=Other_City
PersonOtherState string 80 CUNFSGAP label=Other_State/Province
PersonOtherPostalCode string 20 CUNFSGAP label=Other_Zip/Postal_Code
PersonOtherCountry string 80 CUNFSGAP label=Other_Country
"""

COUNTRIES: dict[str, tuple[str, dict[str, str]]] = {
    "AT": ("Austria", {}),
    "AU": ("Australia", {"NSW": "New South Wales", "QLD": "Queensland", "VIC": "Victoria"}),
    "BR": ("Brazil", {"RJ": "Rio de Janeiro", "SP": "São Paulo"}),
    "CA": ("Canada", {"BC": "British Columbia", "ON": "Ontario", "QC": "Quebec"}),
    "CH": ("Switzerland", {}),
    "DE": ("Germany", {}),
    "ES": ("Spain", {}),
    "FR": ("France", {}),
    "GB": ("United Kingdom", {}),
    "IT": ("Italy", {"MI": "Milano", "RM": "Roma"}),
    "JP": ("Japan", {}),
    "NL": ("Netherlands", {}),
    "US": ("United States", {"CA": "California", "MA": "Massachusetts", "NY": "New York", "TX": "Texas", "WA": "Washington"}),
}
"""Country code -> (country, state code -> state): what an org with State and Country/Territory Picklists offers here."""
